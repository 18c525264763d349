// Main's end of the preload script: who asks is checked, what is answered is plain data.
import { isOurPage } from './app-scheme.js';

/** @type {import('./telemetry-api.js').Channels} */
export const CHANNELS = {
  subscribe: 'frame-telemetry:subscribe',
  unsubscribe: 'frame-telemetry:unsubscribe',
  update: 'frame-telemetry:update',
  read: 'frame-telemetry:read',
  connectUtility: 'frame-telemetry:connect-utility',
};

/**
 * @typedef {object} Served
 * @property {import('./telemetry-feed.js').TelemetryFeed} feed of the main process
 * @property {(port: import('electron').MessagePortMain) => void} connectUtility hands the page's port on
 */

/**
 * Answers our page, and nobody else. Returns a function that ends it.
 * @param {import('electron').IpcMain} ipcMain
 * @param {Served} served
 */
export function serveTelemetry(ipcMain, { feed, connectUtility }) {
  /** Of each page: what ends its subscription. @type {Map<import('electron').WebContents, () => void>} */
  const subscriptions = new Map();
  /** @type {WeakSet<import('electron').WebContents>} */
  const watched = new WeakSet();

  /** @param {import('electron').WebContents} page */
  function drop(page) {
    subscriptions.get(page)?.();
    subscriptions.delete(page);
  }

  /** A document that has gone says nothing: its subscription ends with it. @param {import('electron').WebContents} page */
  function watch(page) {
    if (watched.has(page)) return;
    watched.add(page);
    page.on('render-process-gone', () => drop(page));
    page.on('destroyed', () => drop(page));
    page.on('did-start-navigation', ({ isMainFrame, isSameDocument }) => {
      if (isMainFrame && !isSameDocument) drop(page);
    });
  }

  /** @type {(event: import('electron').IpcMainEvent) => void} */
  const onSubscribe = (event) => {
    if (!mayAsk(event)) return;
    const page = event.sender;
    watch(page);
    drop(page);
    const end = feed.subscribe((update) => {
      if (!page.isDestroyed()) page.send(CHANNELS.update, update);
    });
    subscriptions.set(page, end);
  };
  /** @type {(event: import('electron').IpcMainEvent) => void} */
  const onUnsubscribe = (event) => {
    if (mayAsk(event)) drop(event.sender);
  };
  /** @type {(event: import('electron').IpcMainEvent) => void} */
  const onConnect = (event) => {
    const [port, ...others] = event.ports;
    if (mayAsk(event) && port !== undefined && others.length === 0) connectUtility(port);
    else for (const refused of event.ports) refused.close();
  };

  ipcMain.on(CHANNELS.subscribe, onSubscribe);
  ipcMain.on(CHANNELS.unsubscribe, onUnsubscribe);
  ipcMain.on(CHANNELS.connectUtility, onConnect);
  ipcMain.handle(CHANNELS.read, (event) => {
    if (!mayAsk(event)) throw new Error('only the page of this app may read the telemetry');
    return feed.scheduler.telemetry();
  });
  return () => {
    ipcMain.off(CHANNELS.subscribe, onSubscribe);
    ipcMain.off(CHANNELS.unsubscribe, onUnsubscribe);
    ipcMain.off(CHANNELS.connectUtility, onConnect);
    ipcMain.removeHandler(CHANNELS.read);
    for (const page of [...subscriptions.keys()]) drop(page);
  };
}

/**
 * Only the top frame of our page: not a frame in it, not a page that it was led to.
 * @param {import('electron').IpcMainEvent | import('electron').IpcMainInvokeEvent} event
 */
function mayAsk({ senderFrame }) {
  return senderFrame !== null && senderFrame.parent === null && isOurPage(senderFrame.url);
}
