// Sandboxed preload script: one file, CommonJS, and of Electron's modules only what is named here. The page gets two
// functions; neither `ipcRenderer` nor its events get out.
const { contextBridge, ipcRenderer } = require('electron');

/** @typedef {import('./telemetry-api.js').TelemetryMessage} TelemetryMessage */

/** @type {import('./telemetry-api.js').Channels} */
const CHANNELS = {
  subscribe: 'frame-telemetry:subscribe',
  unsubscribe: 'frame-telemetry:unsubscribe',
  update: 'frame-telemetry:update',
  read: 'frame-telemetry:read',
  connectUtility: 'frame-telemetry:connect-utility',
};

/** @type {Map<object, (message: TelemetryMessage) => void>} */
const mainListeners = new Map();
ipcRenderer.on(CHANNELS.update, (_event, message) => {
  for (const listener of mainListeners.values()) listener(message);
});

/** By messages that the main process sends. @param {(message: TelemetryMessage) => void} listener */
function subscribeMain(listener) {
  const key = {};
  mainListeners.set(key, listener);
  if (mainListeners.size === 1) ipcRenderer.send(CHANNELS.subscribe);
  return () => {
    if (mainListeners.delete(key) && mainListeners.size === 0) ipcRenderer.send(CHANNELS.unsubscribe);
  };
}

/** By a port of its own: the main process hands it on and sees nothing after that. @param {(message: TelemetryMessage) => void} listener */
function subscribeUtility(listener) {
  const { port1, port2 } = new MessageChannel();
  let over = false;
  port1.addEventListener('message', (event) => {
    const { data } = /** @type {{ data: TelemetryMessage }} */ (/** @type {unknown} */ (event));
    if (!over) listener(data);
  });
  port1.start();
  // Electron's own event: the other end is closed, or its process has gone
  port1.addEventListener('close', () => {
    if (over) return;
    over = true;
    listener({ source: 'utility', ended: 'the utility process has ended' });
  });
  ipcRenderer.postMessage(CHANNELS.connectUtility, null, [port2]);
  return () => {
    over = true;
    port1.close();
  };
}

/** @type {import('./telemetry-api.js').FrameTelemetryApi} */
const frameTelemetry = {
  subscribe(source, listener) {
    if (typeof listener !== 'function') throw new TypeError('the listener is no function');
    if (source === 'main') return subscribeMain(listener);
    if (source === 'utility') return subscribeUtility(listener);
    throw new TypeError(`the source is ${String(source)}, expected main or utility`);
  },
  read: () => ipcRenderer.invoke(CHANNELS.read),
};

contextBridge.exposeInMainWorld('frameTelemetry', frameTelemetry);
