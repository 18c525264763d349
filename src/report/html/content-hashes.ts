/** Hashes (CSP 3, `sha256-` and base64) of the page's style and script: nothing else is let run in it. */
export const STYLE_HASH = 'sha256-WaHH9OI6TeSz9POO8coa/+CPVZIct3BVDjEXrVRbnH8=';
export const SCRIPT_HASH = 'sha256-jG4ivDUfAInkKem0/LmDhVpY5i2hrYaaAPULJSElr8Q=';
