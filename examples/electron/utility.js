// Entry of the utility process: a scheduler whose frames no window and no menu of the main process can hold up.
import { startLanes } from './lanes.js';
import { TelemetryFeed } from './telemetry-feed.js';

const { parentPort } = process;
const lanes = await startLanes();
const feed = new TelemetryFeed(lanes.scheduler, 'utility');
lanes.run();
lanes.failed.catch((error) => {
  console.error(error);
  process.exit(1);
});

/** Straight to a page. @param {import('electron').MessagePortMain} port */
function serve(port) {
  const end = feed.subscribe((update) => port.postMessage(update));
  port.on('close', end);
  port.start();
}

// what came before is queued until now
parentPort.on('message', async ({ data, ports }) => {
  if (data === 'serve') for (const port of ports) serve(port);
  else if (data === 'pause') lanes.pause();
  else if (data === 'run') lanes.run();
  else if (data === 'close') {
    feed.close();
    await lanes.close();
    process.exit(0);
  }
});
