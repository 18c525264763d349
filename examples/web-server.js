// Serves the browser examples, and the tests' pages, to this computer only, with the two headers that shared memory needs. In your app a
// bundler turns the names of packages into addresses; here the server does, so that nothing has to be built.
import { createReadStream, readFileSync, realpathSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** Ports that are tried for a static folder, unless one is given. */
const FIRST_PORT = 8080;
const PORTS_TRIED = 20;
/** Who is slower than that, or comes with more, is no browser of this computer. */
const LIMITS = {
  headersTimeout: 5000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: 5000,
};
const IDLE_MS = 30_000;
const MAX_CONNECTIONS = 128;
const root = realpathSync(fileURLToPath(new URL('..', import.meta.url)));
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
    Object.hasOwn(addresses, name) ? `${from}${from === 'from' ? ' ' : ''}'${addresses[name]}'` : found,
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
  const served = ['dist', 'examples', 'test'].map((name) => join(root, name) + sep);
  const server = createServer(LIMITS, async (request, response) => {
    if (!isAllowed(request, response)) return;
    const path = pathOf(request.url ?? '');
    const module = /^\/modules\/(.+)\.js$/.exec(path ?? '')?.[1] ?? '';
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Content-Security-Policy', "default-src 'self'; style-src 'self' 'unsafe-inline'");
    if (path === '/favicon.ico') response.writeHead(204).end();
    else if (Object.hasOwn(addresses, module)) {
      response.setHeader('Content-Type', types['.js']);
      response.end(await moduleOf(module));
    } else {
      const file = path === null ? null : fileIn(root + sep, path);
      const type = types[/** @type {keyof typeof types} */ (extname(file ?? ''))];
      if (file === null || type === undefined || !served.some((folder) => file.startsWith(folder))) notFound(response);
      else if (type === types['.js']) sendModule(file, type, response);
      else sendFile(file, type, response);
    }
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
  const base = realpathSync(folder) + sep;
  const server = createServer(LIMITS, (request, response) => {
    if (!isAllowed(request, response)) return;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const path = pathOf(request.url ?? '');
    const file = path === null ? null : fileIn(base, path);
    if (file === null) notFound(response);
    else
      sendFile(file, types[/** @type {keyof typeof types} */ (extname(file))] ?? 'application/octet-stream', response);
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

/**
 * Of this computer's own names only: a page of another host whose name was made to point here (DNS rebinding) has its own
 * name in `Host`. GET and HEAD only.
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
function isAllowed(request, response) {
  const isOurs = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(request.headers.host ?? '');
  if (isOurs && (request.method === 'GET' || request.method === 'HEAD')) return true;
  if (isOurs) response.setHeader('Allow', 'GET, HEAD');
  response.writeHead(isOurs ? 405 : 403).end();
  return false;
}

/** The path that an address names, decoded once; null where it is none. @param {string} url */
function pathOf(url) {
  try {
    const path = decodeURIComponent(url.replace(/[?#].*$/s, ''));
    if (!path.startsWith('/') || path.includes('\0')) return null;
    return path.endsWith('/') ? `${path}index.html` : path;
  } catch {
    return null;
  }
}

/**
 * The file at a path, wherever links lead, or null: none, or one outside.
 * @param {string} base real, with a separator at its end
 * @param {string} path
 */
function fileIn(base, path) {
  const file = resolve(base, `.${normalize(path)}`);
  if (!file.startsWith(base)) return null;
  try {
    const real = realpathSync(file);
    return real.startsWith(base) && statSync(real).isFile() ? real : null;
  } catch {
    return null;
  }
}

/** @param {import('node:http').ServerResponse} response */
function notFound(response) {
  response.writeHead(404).end();
}

/** @param {string} file @param {string} type @param {import('node:http').ServerResponse} response */
function sendFile(file, type, response) {
  const stream = createReadStream(file);
  stream.once('error', () => notFound(response));
  stream.once('open', () => {
    stream.removeAllListeners('error');
    response.setHeader('Content-Type', type);
    if (response.req.method === 'HEAD') {
      stream.destroy();
      response.end();
    } else pipeline(stream, response, () => {});
  });
}

/** @param {string} file @param {string} type @param {import('node:http').ServerResponse} response */
function sendModule(file, type, response) {
  let source;
  try {
    source = readFileSync(file, 'utf8');
  } catch {
    notFound(response);
    return;
  }
  response.setHeader('Content-Type', type);
  response.end(withAddresses(source));
}

/**
 * @param {import('node:http').Server} server
 * @param {number} port
 * @returns {Promise<{ url: string, close(): void }>}
 */
async function listen(server, port) {
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = IDLE_MS;
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
