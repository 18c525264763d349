/** Hashes (CSP 3, `sha256-` and base64) of the page's style and script: nothing else is let run in it. */
export const STYLE_HASH = 'sha256-MAuiO4L9aXXvFtZpQyRKLojJjvGVOwKN1Hg3kqr8s+w=';
export const SCRIPT_HASH = 'sha256-jG4ivDUfAInkKem0/LmDhVpY5i2hrYaaAPULJSElr8Q=';
