// Sandboxed preload: hands the window one function and nothing else.
const { contextBridge, ipcRenderer } = require('electron');

contextBridge.exposeInMainWorld('frameTelemetry', {
  /** @param {(telemetry: unknown) => void} listener */
  onUpdate(listener) {
    ipcRenderer.on('frame-telemetry', (_event, telemetry) => listener(telemetry));
  },
});
