import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TelemetryMessage, TelemetryUpdate } from '../../examples/electron/telemetry-api.js';
import { CHANNELS, PAGE_URL, startApp } from './example.js';
import { createFakeElectron } from './fake-electron.js';

const PATIENTLY = { timeout: 30_000, interval: 20 };

describe('the main process of examples/electron', () => {
  let folder = '';
  let fake: ReturnType<typeof createFakeElectron>;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'frame-deadline-electron-'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html>');
    fake = createFakeElectron();
  });
  afterEach(async () => {
    const { control, electron } = fake;
    if (control.windows.length > 0) {
      electron.app.quit();
      await control.exit;
    }
    expect(control.children.every(({ child }) => child.exitCode !== null || child.signalCode !== null)).toBe(true);
    rmSync(folder, { recursive: true });
  });

  async function open() {
    const { electron, control } = fake;
    const opened = startApp(electron, { pageFolder: folder });
    control.becomeReady();
    await opened;
    const window = control.windows[0]!;
    return { electron, control, window };
  }
  const names = () => fake.control.calls.map(([name]) => name);
  const ended = ({ workers }: TelemetryUpdate['snapshot']) => workers.reduce((sum, { jobs }) => sum + jobs, 0);
  const loopsOf = (message: TelemetryMessage | undefined) => (message as TelemetryUpdate).snapshot.loops;

  it('does before the app is ready what must be done before, and the rest in order', async () => {
    const { electron, control } = fake;
    const opened = startApp(electron, { pageFolder: folder });
    // in the first turn: Electron may be ready in the next one
    expect(names()).toEqual(['app.enableSandbox', 'registerSchemesAsPrivileged']);
    control.becomeReady();
    await opened;
    expect(names().slice(2)).toEqual([
      'protocol.handle',
      'setPermissionRequestHandler',
      'utilityProcess.fork',
      'BrowserWindow',
      'loadURL',
    ]);
    const page = await control.windows[0]!.loads[0]!;
    expect(page.status).toBe(200);
    expect(page.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    await expect.poll(names, PATIENTLY).toContain('show');
  });

  it('opens a sandboxed page without Node, that cannot go or ask for anything', async () => {
    const { electron, control, window } = await open();
    expect(window.options.webPreferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
    });
    expect(window.options.webPreferences?.webSecurity).toBeUndefined();
    expect(control.navigate(window.webContents, 'https://example.org/')).toBe(false);
    expect(control.navigate(window.webContents, 'file:///etc/passwd')).toBe(false);
    expect(control.navigate(window.webContents, PAGE_URL)).toBe(true);
    expect(window.webContents.windowOpenHandler({ url: 'https://example.org/' })).toEqual({ action: 'deny' });
    let prevented = false;
    window.webContents.emit('will-attach-webview', { preventDefault: () => (prevented = true) });
    expect(prevented).toBe(true);
    const answers: boolean[] = [];
    electron.permissionHandler(null, 'geolocation', (ok) => answers.push(ok));
    expect(answers).toEqual([false]);
  });

  it('sends telemetry to who subscribed through the preload script, until it unsubscribes', async () => {
    const { control, window } = await open();
    const { frameTelemetry } = control.runPreload(window);
    const first: TelemetryMessage[] = [];
    const second: TelemetryMessage[] = [];
    const endFirst = frameTelemetry.subscribe('main', (message) => first.push(message));
    const endSecond = frameTelemetry.subscribe('main', (message) => second.push(message));
    await expect.poll(() => first.length, PATIENTLY).toBeGreaterThan(2);
    // the frames went on from one message to the next
    const [a, b] = [loopsOf(first[0])[0]!, loopsOf(first.at(-1))[0]!];
    expect(b.frames).toBeGreaterThan(a.frames);
    const { snapshot, pid } = first.at(-1) as TelemetryUpdate;
    expect(pid).toBe(process.pid);
    expect(Object.keys(snapshot.lanes)).toEqual(['audio', 'render']);
    expect(snapshot.lanes['audio']!.accepted).toBeGreaterThan(100);
    expect(ended(snapshot)).toBeGreaterThan(0);

    endFirst();
    const heard = first.length;
    await expect.poll(() => second.length, PATIENTLY).toBeGreaterThan(heard + 1);
    expect(first.length).toBe(heard);
    endSecond();
    endSecond();
    await new Promise((done) => setTimeout(done, 50));
    const sent = window.webContents.sent.length;
    await new Promise((done) => setTimeout(done, 600));
    expect(window.webContents.sent.length).toBe(sent);
  });

  it('gives the whole telemetry on request, as plain data', async () => {
    const { control, window } = await open();
    const telemetry = await control.runPreload(window).frameTelemetry.read();
    expect(telemetry).toMatchObject({ schemaVersion: 1, environment: { runtime: expect.stringMatching(/^Node/) } });
    expect(JSON.parse(JSON.stringify(telemetry))).toEqual(telemetry);
  });

  it('exposes two functions and nothing of Electron', async () => {
    const { control, window } = await open();
    const exposed = control.runPreload(window);
    expect(Object.keys(exposed)).toEqual(['frameTelemetry']);
    const { frameTelemetry } = exposed;
    expect(Object.keys(frameTelemetry).sort()).toEqual(['read', 'subscribe']);
    expect(() => frameTelemetry.subscribe('gpu' as never, () => {})).toThrow(/expected main or utility/);
    expect(() => frameTelemetry.subscribe('main', 'x' as never)).toThrow(/no function/);
    // a listener gets the message alone: an event would carry ipcRenderer
    const given: unknown[][] = [];
    const end = frameTelemetry.subscribe('main', (...args) => given.push(args));
    await expect.poll(() => given.length, PATIENTLY).toBeGreaterThan(0);
    expect(given[0]).toHaveLength(1);
    end();
  });

  it('answers the top frame of its own page only', async () => {
    const { control, window } = await open();
    const top = window.webContents.mainFrame;
    const strangers = [
      { url: 'https://example.org/', parent: null },
      { url: 'app://frame-deadline/other.html', parent: null },
      { url: PAGE_URL, parent: top },
      { url: 'about:blank', parent: top },
    ];
    for (const frame of strangers) {
      const ipc = control.ipcRendererOf(window.webContents, frame);
      ipc.send(CHANNELS.subscribe);
      await expect(ipc.invoke(CHANNELS.read)).rejects.toThrow(/only the page of this app/);
      const { port1, port2 } = new MessageChannel();
      const closed = new Promise((done) => (port1 as unknown as NodeJS.EventEmitter).on('close', done));
      ipc.postMessage(CHANNELS.connectUtility, null, [port2]);
      await closed;
    }
    await new Promise((done) => setTimeout(done, 600));
    expect(window.webContents.sent).toEqual([]);
    expect(names()).not.toContain('utility.postMessage');
  });

  it('ends the subscription of a page that reloads or crashes, and loads it again', async () => {
    const { control, window } = await open();
    control.runPreload(window).frameTelemetry.subscribe('main', () => {});
    await expect.poll(() => window.webContents.sent.length, PATIENTLY).toBeGreaterThan(0);
    control.crash(window);
    const sent = window.webContents.sent.length;
    expect(names().filter((name) => name === 'loadURL')).toHaveLength(2);
    await new Promise((done) => setTimeout(done, 600));
    expect(window.webContents.sent.length).toBe(sent);
    const again: TelemetryMessage[] = [];
    control.runPreload(window).frameTelemetry.subscribe('main', (message) => again.push(message));
    await expect.poll(() => again.length, PATIENTLY).toBeGreaterThan(0);
    // one that crashes again and again is not loaded for ever
    for (let i = 0; i < 3; i++) control.crash(window);
    await control.exit;
    expect(names().filter((name) => name === 'loadURL')).toHaveLength(4);
  });

  it('ends the subscription of a page whose process ended by itself, and leaves it so', async () => {
    const { control, window } = await open();
    control.runPreload(window).frameTelemetry.subscribe('main', () => {});
    await expect.poll(() => window.webContents.sent.length, PATIENTLY).toBeGreaterThan(0);
    control.crash(window, 'clean-exit');
    const sent = window.webContents.sent.length;
    await new Promise((done) => setTimeout(done, 600));
    expect(window.webContents.sent.length).toBe(sent);
    expect(names().filter((name) => name === 'loadURL')).toHaveLength(1);
  });

  it('stops the frames while the computer sleeps, and begins others after', async () => {
    const { electron, control, window } = await open();
    const messages: TelemetryMessage[] = [];
    control.runPreload(window).frameTelemetry.subscribe('main', (message) => messages.push(message));
    const loops = () => (messages.length === 0 ? [] : loopsOf(messages.at(-1)));
    await expect.poll(() => loops()[0]?.frames ?? 0, PATIENTLY).toBeGreaterThan(5);
    electron.powerMonitor.emit('suspend');
    electron.powerMonitor.emit('suspend');
    const from = messages.length;
    await expect.poll(() => messages.length, PATIENTLY).toBeGreaterThan(from + 2);
    const { frames, intendedTicks } = loops()[0]!;
    expect(loopsOf(messages.at(-2))[0]!.frames).toBe(frames);
    electron.powerMonitor.emit('resume');
    electron.powerMonitor.emit('resume');
    await expect.poll(() => loops()[1]?.frames ?? 0, PATIENTLY).toBeGreaterThan(5);
    expect(loops()).toHaveLength(2);
    // the ticks of the sleep are nobody's
    expect(loops()[0]!.intendedTicks).toBe(intendedTicks);
    expect(names().filter((name) => name === 'utility.postMessage')).toHaveLength(4);
  });

  it('quits when the window is closed, after the schedulers are', async () => {
    const { electron, control, window } = await open();
    control.runPreload(window).frameTelemetry.subscribe('main', () => {});
    await expect.poll(() => window.webContents.sent.length, PATIENTLY).toBeGreaterThan(0);
    const order: string[] = [];
    electron.app.on('quit', () => order.push('quit'));
    const utility = control.children[0]!;
    utility.on('exit', (code) => order.push(`utility ${code}`));
    window.close();
    await control.exit;
    expect(order).toEqual(['utility 0', 'quit']);
    const sent = window.webContents.sent.length;
    await new Promise((done) => setTimeout(done, 400));
    expect(window.webContents.sent.length).toBe(sent);
  });

  it('sends the telemetry of the utility process straight to the page', async () => {
    const { control, window } = await open();
    const { frameTelemetry } = control.runPreload(window);
    const messages: TelemetryMessage[] = [];
    const end = frameTelemetry.subscribe('utility', (message) => messages.push(message));
    await expect.poll(() => messages.length, PATIENTLY).toBeGreaterThan(2);
    const last = messages.at(-1) as TelemetryUpdate;
    expect(last).toMatchObject({ source: 'utility', pid: control.children[0]!.pid, ended: null });
    expect(ended(last.snapshot)).toBeGreaterThan(0);
    // none of it went by way of main
    expect(window.webContents.sent).toEqual([]);
    end();
    await new Promise((done) => setTimeout(done, 100));
    const heard = [messages.length, control.children[0]!.sentToPorts];
    await new Promise((done) => setTimeout(done, 600));
    expect([messages.length, control.children[0]!.sentToPorts]).toEqual(heard);
  });

  it('tells that the utility process has gone, and starts another one', async () => {
    const { control, window } = await open();
    const { frameTelemetry } = control.runPreload(window);
    const messages: TelemetryMessage[] = [];
    frameTelemetry.subscribe('utility', (message) => messages.push(message));
    await expect.poll(() => messages.length, PATIENTLY).toBeGreaterThan(0);
    control.children[0]!.child.kill('SIGKILL');
    await expect.poll(() => messages.at(-1)?.ended, PATIENTLY).toBe('the utility process has ended');
    const told = messages.length;
    expect(control.children).toHaveLength(2);
    const again: TelemetryMessage[] = [];
    frameTelemetry.subscribe('utility', (message) => again.push(message));
    await expect.poll(() => again.length, PATIENTLY).toBeGreaterThan(0);
    expect((again[0] as TelemetryUpdate).pid).toBe(control.children[1]!.pid);
    expect(messages).toHaveLength(told);
  });
});
