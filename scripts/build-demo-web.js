// Builds the demo as a page into dist-demo-web/, and serves nothing: that is `npm run demo:web`.
import { buildDemoWeb } from '../examples/web-demo/build.js';

console.log(await buildDemoWeb());
