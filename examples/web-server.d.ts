export function serveExamples(port?: number): Promise<{ url: string; close(): void }>;
export function serveExample(name: string): Promise<void>;
export function serveFolder(
  folder: string,
  headers: Readonly<Record<string, string>>,
  port?: number | null,
): Promise<{ url: string; close(): void }>;
