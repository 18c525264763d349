// The app's life: what must be done before it is ready, what it starts, and that it ends nothing in the middle.
import { fileURLToPath } from 'node:url';
import { APP_SCHEME, serveFolder } from './app-scheme.js';
import { startLanes } from './lanes.js';
import { TelemetryFeed } from './telemetry-feed.js';
import { serveTelemetry } from './telemetry-ipc.js';
import { UtilityLink } from './utility-link.js';
import { lockPages, openWindow } from './window.js';

/** @typedef {Pick<typeof import('electron'), 'app' | 'BrowserWindow' | 'ipcMain' | 'powerMonitor' | 'protocol' | 'session' | 'utilityProcess'>} Electron */

/** What build.js made of renderer/. */
const PAGE_FOLDER = fileURLToPath(new URL('./dist/', import.meta.url));
const UTILITY = fileURLToPath(new URL('./utility.js', import.meta.url));

/**
 * To be called in the first turn of the main module, before Electron is ready. Resolves when the window is open.
 * @param {Electron} electron
 * @param {{ pageFolder?: string }} [options]
 */
export async function startApp(electron, { pageFolder = PAGE_FOLDER } = {}) {
  const { app, BrowserWindow, ipcMain, powerMonitor, protocol, session, utilityProcess } = electron;
  app.enableSandbox();
  protocol.registerSchemesAsPrivileged([APP_SCHEME]);
  lockPages(app);
  app.on('window-all-closed', () => app.quit());

  await app.whenReady();
  protocol.handle(APP_SCHEME.scheme, serveFolder(pageFolder));
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, callback) => callback(false));

  // in this order: native code is loaded by the main thread, before threads that load it too
  const lanes = await startLanes();
  const utility = new UtilityLink(utilityProcess, UTILITY);
  utility.start();
  const feed = new TelemetryFeed(lanes.scheduler, 'main');
  const endTelemetry = serveTelemetry(ipcMain, { feed, connectUtility: (port) => utility.connect(port) });
  lanes.run();

  powerMonitor.on('suspend', () => {
    lanes.pause();
    utility.pause();
  });
  powerMonitor.on('resume', () => {
    lanes.run();
    utility.run();
  });

  /** @type {'open' | 'closing' | 'closed'} */
  let state = 'open';
  app.on('will-quit', async (event) => {
    if (state === 'closed') return;
    event.preventDefault();
    if (state === 'closing') return;
    state = 'closing';
    endTelemetry();
    feed.close();
    await Promise.allSettled([lanes.close(), utility.close()]);
    state = 'closed';
    app.quit();
  });
  lanes.failed.catch((error) => {
    console.error(error);
    app.quit();
  });
  openWindow(BrowserWindow);
}
