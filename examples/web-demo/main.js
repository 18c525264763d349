// The demo as a page: sound, picture and pointer, and the live telemetry beside them.   node examples/web-demo/main.js
//   --port 8080      default: the first free one from 8080 on
//   --no-isolation   without the two headers, to see what the page does then
import { parseArgs } from 'node:util';
import { serveFolder } from '../web-server.js';
import { buildDemoWeb } from './build.js';
import { ISOLATION, POLICY } from './headers.js';

const { values } = parseArgs({ options: { port: { type: 'string' }, 'no-isolation': { type: 'boolean' } } });
const port = values.port === undefined ? null : Number(values.port);
if (port !== null && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
  console.error(`--port ${values.port}: 0 to 65535 expected`);
  process.exit(2);
}
const headers = values['no-isolation'] === true ? POLICY : { ...ISOLATION, ...POLICY };
const folder = await buildDemoWeb();
try {
  const { url, close } = await serveFolder(folder, headers, port);
  console.log(`open ${url}   (Ctrl+C ends)`);
  const seconds = process.env.EXAMPLE_SECONDS;
  if (seconds !== undefined) setTimeout(close, Number(seconds) * 1000);
} catch (error) {
  if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EADDRINUSE') throw error;
  console.error(`port ${port} is in use; give another --port, or none`);
  process.exitCode = 1;
}
