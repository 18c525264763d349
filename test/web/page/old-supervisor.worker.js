import './no-wait-async.js';
import '../../../dist/web-supervisor.js';
