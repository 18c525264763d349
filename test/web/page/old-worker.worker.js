import './no-wait-async.js';
import '../../../dist/web-worker.js';
