// An Electron app: schedulers in the main process, in a utility process and in a sandboxed page; the page shows all three.
//   node examples/electron/build.js && npx electron examples/electron/main.js
// In plain Node it runs the main process's lanes and prints their telemetry:   node examples/electron/main.js
// It was not run in Electron: it is checked against Electron's typings, main and utility part are run in Node, the page in Chromium.
import { startApp } from './app.js';
import { startLanes } from './lanes.js';
import { TelemetryFeed } from './telemetry-feed.js';

if (process.type === 'browser') {
  // not `await startApp(...)`: Electron is not ready before this module has been evaluated
  startApp(await import('electron')).catch((error) => {
    console.error(error);
    process.exit(1);
  });
} else {
  const seconds = Number(process.env.EXAMPLE_SECONDS ?? 3);
  const lanes = await startLanes();
  const feed = new TelemetryFeed(lanes.scheduler, 'main');
  let updates = 0;
  feed.subscribe(() => {
    updates++;
  });
  lanes.run();
  await Promise.race([lanes.failed, new Promise((resolve) => setTimeout(resolve, seconds * 1000))]);
  feed.close();
  const { lanes: counted, loops } = lanes.scheduler.snapshot();
  console.log(`without Electron: ${updates} telemetry updates, ${loops[0]?.frames} frames`);
  for (const [name, { outcomes, misses, responseUs }] of Object.entries(counted)) {
    console.log(`${name}: ${outcomes.onTime} jobs on time, ${misses} missed, response p99 ${responseUs.p99} µs`);
  }
  await lanes.close();
}
