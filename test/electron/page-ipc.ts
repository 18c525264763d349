import type { Page } from 'playwright-core';
import { CHANNELS } from './example.js';
import type { Control } from './fake-electron.js';

/** What the page's stand-in of ipcRenderer calls, and what is called in it. */
interface PageIpc {
  ipcSend(channel: string, args: unknown[]): Promise<void>;
  ipcConnect(channel: string, message: unknown, id: number): Promise<void>;
  ipcInvoke(channel: string, args: unknown[]): Promise<unknown>;
  ipcDeliver(channel: string, args: unknown[]): void;
  ipcPort(id: number, message: unknown): void;
  ipcPortClosed(id: number): void;
}

/**
 * Runs the preload script in the page before its own scripts, with an `electron` whose ipcRenderer reaches the main process
 * of `control`. Electron runs it in a world of its own; here it shares the page's.
 */
export async function connectPage(page: Page, control: Control, preload: string): Promise<void> {
  const ipc = control.ipcRendererOf(control.windows[0]!.webContents);
  // a page that is closing hears no more
  const tell = (name: keyof PageIpc, ...args: unknown[]) =>
    page
      .evaluate(
        ([called, given]) => (globalThis as unknown as Record<string, (...a: unknown[]) => void>)[called]!(...given),
        [name, args] as const,
      )
      .catch(() => {});

  await page.exposeFunction('ipcSend', (channel: string, args: unknown[]) => ipc.send(channel, ...args));
  await page.exposeFunction('ipcInvoke', (channel: string, args: unknown[]) => ipc.invoke(channel, ...args));
  await page.exposeFunction('ipcConnect', (channel: string, message: unknown, id: number) => {
    const { port1, port2 } = new MessageChannel();
    const events = port1 as unknown as NodeJS.EventEmitter;
    events.on('message', (data) => void tell('ipcPort', id, data));
    events.on('close', () => void tell('ipcPortClosed', id));
    ipc.postMessage(channel, message, [port2]);
  });
  ipc.on(CHANNELS.update, (_event: unknown, ...args: unknown[]) => void tell('ipcDeliver', CHANNELS.update, args));

  const electron = `{
    const listeners = new Map();
    const ports = [];
    globalThis.ipcDeliver = (channel, args) => listeners.get(channel)?.({}, ...args);
    globalThis.ipcPort = (id, data) => ports[id].postMessage(data);
    // Electron's own event
    globalThis.ipcPortClosed = (id) => ports[id].other.dispatchEvent(new Event('close'));
    const OriginalChannel = MessageChannel;
    let lastChannel;
    const ipcRenderer = {
      on: (channel, listener) => listeners.set(channel, listener),
      send: (channel, ...args) => void globalThis.ipcSend(channel, args),
      invoke: (channel, ...args) => globalThis.ipcInvoke(channel, args),
      postMessage(channel, message, [port]) {
        port.other = lastChannel.port1;
        void globalThis.ipcConnect(channel, message, ports.push(port) - 1);
      },
    };
    const contextBridge = {
      exposeInMainWorld: (name, api) =>
        Object.defineProperty(globalThis, name, { value: Object.freeze({ ...api }), enumerable: true }),
    };
    const require = (name) => {
      if (name !== 'electron') throw new Error('module not found: ' + name);
      return { contextBridge, ipcRenderer };
    };
    const module = { exports: {} };
    (function (require, module, MessageChannel) {
      ${preload}
    })(require, module, class { constructor() { return (lastChannel = new OriginalChannel()); } });
  }`;
  await page.addInitScript({ content: electron });
}
