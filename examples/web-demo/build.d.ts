export function buildDemoWeb(folder?: string): Promise<string>;
