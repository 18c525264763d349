/** Hashes (CSP 3, `sha256-` and base64) of the page's style and script: nothing else is let run in it. */
export const STYLE_HASH = 'sha256-RyxUeUk3hed+6rHjagwy/RLAEJJq7wdhivhQOsYVigE=';
export const SCRIPT_HASH = 'sha256-PNFy5XDDeQXnR17GUNLwlo7TjbbF9YULpLwXowSmgmo=';
