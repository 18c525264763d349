// Sound in a page: an audio lane fills a ring, an AudioWorklet plays it, the pointer is heard.   node examples/web-audio/main.js
import { serveExample } from '../web-server.js';

await serveExample('web-audio');
