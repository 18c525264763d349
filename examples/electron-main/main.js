// Electron's main process: frames on worker threads, telemetry to a window by IPC.   npx electron examples/electron-main/main.js
// In plain Node it runs the same frames and prints the telemetry.                     node examples/electron-main/main.js
import { runFrames } from './telemetry.js';

if (process.versions.electron === undefined) {
  const seconds = Number(process.env.EXAMPLE_SECONDS ?? 3);
  let updates = 0;
  /** @type {import('./telemetry.js').FrameTelemetry | null} */
  let last = null;
  await runFrames(
    (telemetry) => {
      updates++;
      last = telemetry;
    },
    AbortSignal.timeout(seconds * 1000),
  );
  console.log(`without Electron: ${updates} telemetry updates, the last one`, last);
} else {
  const { app, BrowserWindow } = await import('electron');
  await app.whenReady();
  const window = new BrowserWindow({
    width: 480,
    height: 240,
    webPreferences: {
      preload: new URL('./preload.cjs', import.meta.url).pathname,
      contextIsolation: true,
      sandbox: true,
    },
  });
  await window.loadFile(new URL('./window.html', import.meta.url).pathname);
  const end = new AbortController();
  app.once('window-all-closed', () => end.abort());
  await runFrames((telemetry) => {
    if (!window.isDestroyed()) window.webContents.send('frame-telemetry', telemetry);
  }, end.signal);
  app.quit();
}
