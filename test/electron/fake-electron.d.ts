import type { EventEmitter } from 'node:events';
import type { BrowserWindowConstructorOptions } from 'electron';
import type { FrameTelemetryApi } from '../../examples/electron/telemetry-api.js';
import type { Electron } from './example.js';

export interface FakeFrame {
  url: string;
  parent: FakeFrame | null;
}
export interface FakeContents extends EventEmitter {
  sent: [channel: string, ...args: unknown[]][];
  windowOpenHandler: (details: unknown) => { action: string };
  mainFrame: FakeFrame;
}
export interface FakeWindow extends EventEmitter {
  options: BrowserWindowConstructorOptions;
  webContents: FakeContents;
  loads: Promise<Response>[];
  close(): void;
}
export interface FakeIpcRenderer {
  on(channel: string, listener: (event: unknown, ...args: never[]) => void): void;
  send(channel: string, ...args: unknown[]): void;
  postMessage(channel: string, message: unknown, ports?: unknown[]): void;
  invoke(channel: string, ...args: unknown[]): Promise<unknown>;
}
export interface FakeChild extends EventEmitter {
  pid: number;
  /** Messages that it posted to ports it was given, closed or not. */
  sentToPorts: number;
  child: import('node:child_process').ChildProcess;
}
export interface Control {
  calls: [name: string, ...args: unknown[]][];
  windows: FakeWindow[];
  children: FakeChild[];
  /** Resolves when the app has quit. */
  exit: Promise<void>;
  becomeReady(): void;
  handlerOf(scheme: string): ((request: Request) => Promise<Response>) | undefined;
  ipcRendererOf(contents: FakeContents, frame?: FakeFrame): FakeIpcRenderer;
  runPreload(window: FakeWindow, frame?: FakeFrame): { frameTelemetry: FrameTelemetryApi };
  navigate(contents: FakeContents, url: string): boolean;
  crash(window: FakeWindow, reason?: string): void;
}
export function createFakeElectron(): {
  electron: Electron & {
    permissionHandler(contents: unknown, permission: string, callback: (ok: boolean) => void): void;
  };
  control: Control;
};
export const PARENT_PORT_PATH: string;
