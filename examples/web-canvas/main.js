// Pictures and the pointer in a page: two ways from a render lane to the screen.   node examples/web-canvas/main.js
import { serveExample } from '../web-server.js';

await serveExample('web-canvas');
