/** Hashes (CSP 3, `sha256-` and base64) of the page's style and script: nothing else is let run in it. */
export const STYLE_HASH = 'sha256-KxgZ/BAe45JnO0QcXM62DGfGRveAZpXmoxeGVQV4gJ4=';
export const SCRIPT_HASH = 'sha256-jG4ivDUfAInkKem0/LmDhVpY5i2hrYaaAPULJSElr8Q=';
