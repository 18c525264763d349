export function withSection(text: string, section: string): string;
