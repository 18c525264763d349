// The one window, and what its page may not do.
import { fileURLToPath } from 'node:url';
import { isOurPage, PAGE_URL } from './app-scheme.js';

const STABLE_MS = 10_000;
const MOST_CRASHES = 3;

/**
 * @param {typeof import('electron').BrowserWindow} BrowserWindow
 * @returns {import('electron').BrowserWindow}
 */
export function openWindow(BrowserWindow) {
  const window = new BrowserWindow({
    width: 900,
    height: 700,
    show: false,
    webPreferences: {
      preload: fileURLToPath(new URL('./preload.cjs', import.meta.url)),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      // the page's workers are Web Workers: no Node in them either
      nodeIntegrationInWorker: false,
    },
  });
  window.once('ready-to-show', () => window.show());

  let crashes = 0;
  let loadedMs = performance.now();
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return;
    // its scheduler went with it; those of the other processes did not notice
    crashes = performance.now() - loadedMs > STABLE_MS ? 1 : crashes + 1;
    loadedMs = performance.now();
    if (crashes > MOST_CRASHES) window.destroy();
    else void window.loadURL(PAGE_URL);
  });
  void window.loadURL(PAGE_URL);
  return window;
}

/**
 * For every page that the app will ever have: no other page, no new window, no `<webview>`.
 * @param {import('electron').App} app
 */
export function lockPages(app) {
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-navigate', (event) => {
      if (!isOurPage(event.url)) event.preventDefault();
    });
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
}
