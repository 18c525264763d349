import type { CustomScheme } from 'electron';
import type { Channels } from '../../examples/electron/telemetry-api.js';

/** What the example takes of Electron. */
export type Electron = Pick<
  typeof import('electron'),
  'app' | 'BrowserWindow' | 'ipcMain' | 'powerMonitor' | 'protocol' | 'session' | 'utilityProcess'
>;

const at = (name: string) => new URL(`../../examples/electron/${name}`, import.meta.url).href;

// JavaScript that is checked by itself, without declarations
export const { startApp } = (await import(at('app.js'))) as {
  startApp(electron: Electron, options: { pageFolder: string }): Promise<void>;
};
export const { APP_SCHEME, HEADERS, isOurPage, PAGE_URL, serveFolder } = (await import(at('app-scheme.js'))) as {
  APP_SCHEME: CustomScheme;
  HEADERS: Readonly<Record<string, string>>;
  PAGE_URL: string;
  serveFolder(folder: string): (request: Request) => Promise<Response>;
  isOurPage(url: string): boolean;
};
export const { CHANNELS } = (await import(at('telemetry-ipc.js'))) as { CHANNELS: Channels };
export const { buildPage } = (await import(at('build.js'))) as { buildPage(folder: string): Promise<void> };

export function headersOf({ headers }: Response): Record<string, string> {
  const all: Record<string, string> = {};
  headers.forEach((value, name) => {
    all[name] = value;
  });
  return all;
}
