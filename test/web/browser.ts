import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const TYPES: Record<string, string> = { '.js': 'text/javascript', '.html': 'text/html', '.map': 'application/json' };

export interface Served {
  /** Of pages that are cross-origin isolated. */
  readonly isolated: string;
  /** Of pages without the headers. */
  readonly plain: string;
  /** Isolated, under `require-trusted-types-for 'script'`. */
  readonly trusted: string;
  close(): void;
}

/** Serves the repository as it is, under a content security policy without `eval`, `blob:` and inline scripts. */
export async function serveRepository(): Promise<Served> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://x');
    const path = normalize(pathname);
    if (!searchParams.has('plain')) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    response.setHeader(
      'Content-Security-Policy',
      `default-src 'none'; connect-src 'self'; script-src 'self'; worker-src 'self'${wantsTrustedTypes(request) ? "; require-trusted-types-for 'script'" : ''}`,
    );
    const body = bodyOf(path);
    if (body === null) response.statusCode = 404;
    else response.setHeader('Content-Type', TYPES[extname(path)] ?? 'text/html');
    response.end(body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    isolated: `${origin}/`,
    plain: `${origin}/?plain`,
    trusted: `${origin}/?trusted`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The page, and the threads' modules, which a page asks for from its own address. */
function wantsTrustedTypes({ url, headers }: IncomingMessage): boolean {
  return `${url} ${headers.referer}`.includes('?trusted');
}

function bodyOf(path: string): string | Buffer | null {
  if (path === '/') return '<!doctype html><html lang="en"><title>frame-deadline</title></html>';
  const file = join(ROOT, path);
  if (
    TYPES[extname(path)] === undefined ||
    !/^\/(dist|test\/(?:web|browser)|examples)\//.test(path) ||
    !existsSync(file)
  )
    return null;
  return readFileSync(file);
}
