/** Hashes (CSP 3, `sha256-` and base64) of the page's style and script: nothing else is let run in it. */
export const STYLE_HASH = 'sha256-ieAu90zjjRub1NqG3D7yQ8xQZAJgMBC9KMQJJD0dO3I=';
export const SCRIPT_HASH = 'sha256-jG4ivDUfAInkKem0/LmDhVpY5i2hrYaaAPULJSElr8Q=';
