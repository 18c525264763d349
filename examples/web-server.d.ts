export function serveExamples(port?: number): Promise<{ url: string; close(): void }>;
export function serveExample(name: string): Promise<void>;
