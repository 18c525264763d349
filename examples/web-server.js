// Serves the browser examples, and the tests' pages, to this computer only, with the two headers that shared memory needs. In your app a
// bundler turns the names of packages into addresses; here the server does, so that nothing has to be built.
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Ports that are tried for a static folder, unless one is given. */
const FIRST_PORT = 8080;
const PORTS_TRIED = 20;
const root = fileURLToPath(new URL('..', import.meta.url));
const types = {
  '.js': 'text/javascript',
  '.html': 'text/html; charset=utf-8',
  '.map': 'application/json',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** @type {Record<string, string>} */
const addresses = {
  'frame-deadline': '/dist/web.js',
  'frame-deadline/web-audio': '/dist/web-audio/index.js',
  ringbufferjs: '/modules/ringbufferjs.js',
  'hdr-histogram-js': '/modules/hdr-histogram-js.js',
};
/** @type {Map<string, Promise<string>>} */
const modules = new Map();

/**
 * A package that is no ES module, as one.
 * @param {string} name
 */
function moduleOf(name) {
  let code = modules.get(name);
  if (code === undefined) {
    code = import('rolldown')
      .then(({ rolldown }) => rolldown({ input: name, cwd: root, platform: 'browser' }))
      .then((bundle) => bundle.generate({ format: 'es' }))
      .then(({ output }) => output[0].code);
    modules.set(name, code);
  }
  return code;
}

/** @param {string} source */
function withAddresses(source) {
  return source.replace(/(\bfrom|\bimport\()\s*'([a-z][^']*)'/g, (found, from, name) =>
    name in addresses ? `${from}${from === 'from' ? ' ' : ''}'${addresses[name]}'` : found,
  );
}

/**
 * @param {number} port 0 for any that is free
 * @returns {Promise<{ url: string, close(): void }>}
 */
export async function serveExamples(port = 0) {
  await import('rolldown').catch(() => {
    throw new Error('the server of the examples bundles with rolldown, which is not installed: npm install rolldown');
  });
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
    const file = join(root, path.endsWith('/') ? `${path}index.html` : path);
    const type = types[/** @type {keyof typeof types} */ (extname(file))];
    const module = /^\/modules\/(.+)\.js$/.exec(path)?.[1] ?? '';
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.setHeader('Content-Security-Policy', "default-src 'self'; style-src 'self' 'unsafe-inline'");
    if (type !== undefined) response.setHeader('Content-Type', type);
    if (path === '/favicon.ico') response.writeHead(204).end();
    else if (module in addresses) response.end(await moduleOf(module));
    else if (type === undefined || !/^\/(dist|examples|test)\//.test(path) || !existsSync(file)) {
      response.statusCode = 404;
      response.end();
    } else if (type === types['.js']) response.end(withAddresses(readFileSync(file, 'utf8')));
    else createReadStream(file).pipe(response);
  });
  return listen(server, port);
}

/**
 * Serves a static folder, and nothing beside it.
 * @param {string} folder
 * @param {Readonly<Record<string, string>>} headers sent with everything
 * @param {number | null} port null for the first that is free from 8080 on, 0 for any
 */
export async function serveFolder(folder, headers, port = null) {
  const base = resolve(folder) + sep;
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const file = fileIn(base, request.url ?? '/');
    if (file === null || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(file === null ? 404 : 405).end();
      return;
    }
    const type = types[/** @type {keyof typeof types} */ (extname(file))] ?? 'application/octet-stream';
    response.setHeader('Content-Type', type);
    if (request.method === 'HEAD') response.end();
    else createReadStream(file).pipe(response);
  });
  if (port !== null) return listen(server, port);
  for (let tried = FIRST_PORT; tried < FIRST_PORT + PORTS_TRIED; tried++) {
    try {
      return await listen(server, tried);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EADDRINUSE') throw error;
    }
  }
  return listen(server, 0);
}

/** The file that an address names, or null: none, or one outside. @param {string} base @param {string} url */
function fileIn(base, url) {
  let path;
  try {
    path = decodeURIComponent(url.replace(/[?#].*$/s, ''));
  } catch {
    return null;
  }
  if (path.includes('\0')) return null;
  const file = resolve(base, `./${path.endsWith('/') ? `${path}index.html` : path}`);
  return file.startsWith(base) && statSync(file, { throwIfNoEntry: false })?.isFile() === true ? file : null;
}

/**
 * @param {import('node:http').Server} server
 * @param {number} port
 * @returns {Promise<{ url: string, close(): void }>}
 */
async function listen(server, port) {
  await new Promise((listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => listening(undefined));
  });
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * Serves one example until interrupted, or for EXAMPLE_SECONDS.
 * @param {string} name its folder
 */
export async function serveExample(name) {
  const { url, close } = await serveExamples(Number(process.env.PORT ?? 0));
  console.log(`open ${url}examples/${name}/   (Ctrl+C ends)`);
  const seconds = process.env.EXAMPLE_SECONDS;
  if (seconds !== undefined) setTimeout(close, Number(seconds) * 1000);
}
