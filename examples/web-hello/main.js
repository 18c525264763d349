// Jobs of a page on workers, frame by frame.   node examples/web-hello/main.js
import { serveExample } from '../web-server.js';

await serveExample('web-hello');
