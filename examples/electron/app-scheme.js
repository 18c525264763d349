// The page's own scheme: `file://` cannot carry the headers that shared memory needs.
import { readFile, realpath } from 'node:fs/promises';
import { extname, join, relative, resolve, sep } from 'node:path';

const SCHEME = 'app';
const HOST = 'frame-deadline';
export const PAGE_URL = `${SCHEME}://${HOST}/index.html`;

/**
 * For `protocol.registerSchemesAsPrivileged`, before the app is ready. `standard` gives the page an origin, `secure` lets
 * it be isolated. `corsEnabled` stays off: it would let pages of other origins read this one.
 * @type {import('electron').CustomScheme}
 */
export const APP_SCHEME = { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } };

/** Of every answer, errors and workers too: a worker without them is not loaded by an isolated page. */
export const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/** @type {Readonly<Record<string, string>>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
};

/**
 * For `protocol.handle(APP_SCHEME.scheme, ...)`: files of one folder, nothing else. It reads with `node:fs`, which
 * Electron lets look into asar archives.
 * @param {string} folder
 * @returns {(request: Request) => Promise<Response>}
 */
export function serveFolder(folder) {
  const root = resolve(folder);
  return async ({ method, url }) => {
    if (method !== 'GET' && method !== 'HEAD') {
      return new Response(null, { status: 405, headers: { ...HEADERS, Allow: 'GET, HEAD' } });
    }
    const path = pathInside(url);
    const type = path === null ? undefined : TYPES[extname(path)];
    const body = path === null || type === undefined ? null : await readInside(root, join(root, path));
    if (body === null || type === undefined) return new Response('not found', { status: 404, headers: HEADERS });
    return new Response(method === 'HEAD' ? null : body, { headers: { ...HEADERS, 'Content-Type': type } });
  };
}

/** The main process answers IPC of this page's top frame only. `url` of `event.senderFrame`. @param {string} url */
export function isOurPage(url) {
  return pathInside(url) === new URL(PAGE_URL).pathname.slice(1);
}

/**
 * The path that a URL of ours names, or null. Names are letters, digits, `-`, `_` and single dots: so neither `..`, `.`, backslashes,
 * drive letters, streams (`file::$DATA`) nor what an escape stands for get any further.
 * @param {string} url
 */
function pathInside(url) {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || parsed.protocol !== `${SCHEME}:` || parsed.host !== HOST) return null;
  const path = parsed.pathname.slice(1);
  return /^([\w-]+(\.[\w-]+)*)(\/[\w-]+(\.[\w-]+)*)*$/.test(path) ? path : null;
}

/**
 * Null for what is not there, is no file, or lies outside by a link.
 * @param {string} root
 * @param {string} file
 */
async function readInside(root, file) {
  try {
    const way = relative(await realpath(root), await realpath(file));
    if (way === '' || way === '..' || way.startsWith(`..${sep}`) || resolve(way) === way) return null;
    return new Uint8Array(await readFile(file));
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'ENAMETOOLONG') return null;
    throw error;
  }
}
