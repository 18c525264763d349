// The demo as a page: sound, picture and pointer with the live telemetry beside them.   node examples/web-demo/main.js [--port 8080] [--no-isolation]
import { parseArgs } from 'node:util';
import { buildDemoWeb } from '../../scripts/build-demo-web.js';
import { serveFolder } from '../web-server.js';
import { ISOLATION, POLICY } from './headers.js';

const { values } = parseArgs({ options: { port: { type: 'string' }, 'no-isolation': { type: 'boolean' } } });
const folder = await buildDemoWeb();
const headers = values['no-isolation'] === true ? POLICY : { ...ISOLATION, ...POLICY };
const { url, close } = await serveFolder(folder, headers, values.port === undefined ? null : Number(values.port));
console.log(`open ${url}   (Ctrl+C ends)`);
const seconds = process.env.EXAMPLE_SECONDS;
if (seconds !== undefined) setTimeout(close, Number(seconds) * 1000);
