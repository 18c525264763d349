// Stands in for Electron's main process where there is none: same calls, same order of events, same checks of what may be
// called when, and everything that crosses a process is cloned as structured cloning does. Plain JavaScript, so that a
// bare Node can load it too.
import { fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runInThisContext } from 'node:vm';

const PARENT_PORT = new URL('./parent-port.js', import.meta.url).href;

/** A MessagePortMain on one of Node's ports. */
export class FakePortMain extends EventEmitter {
  constructor(port) {
    super();
    this.port = port;
    this.started = false;
    port.on('close', () => this.emit('close'));
  }
  start() {
    if (this.started) return;
    this.started = true;
    this.port.on('message', (data) => this.emit('message', { data, ports: [] }));
  }
  postMessage(data) {
    this.port.postMessage(data);
  }
  close() {
    this.port.close();
  }
}

/** A utility process as a child of Node, whose `process.parentPort` parent-port.js makes. */
class FakeUtilityProcess extends EventEmitter {
  constructor(calls, modulePath, args, options) {
    super();
    this.calls = calls;
    this.ports = new Map();
    this.sentToPorts = 0;
    this.child = fork(modulePath, args, { execArgv: ['--import', PARENT_PORT], serialization: 'advanced' });
    this.pid = this.child.pid;
    this.options = options;
    this.child.on('spawn', () => this.emit('spawn'));
    this.child.on('message', ({ kind, id, data }) => {
      if (kind === 'message') this.emit('message', data);
      else if (kind === 'port') {
        this.sentToPorts++;
        this.ports.get(id)?.postMessage(data);
      } else if (kind === 'close') this.ports.get(id)?.close();
    });
    this.child.on('exit', (code, signal) => {
      for (const port of this.ports.values()) port.close();
      this.emit('exit', code ?? signal);
    });
  }
  postMessage(data, transfer = []) {
    this.calls.push(['utility.postMessage', data, transfer.length]);
    const ids = transfer.map(({ port }) => {
      const id = this.ports.size + 1;
      this.ports.set(id, port);
      const send = (message) => {
        if (this.child.connected) this.child.send(message);
      };
      port.on('message', (message) => send({ kind: 'port', id, data: message }));
      port.on('close', () => send({ kind: 'close', id }));
      return id;
    });
    this.child.send({ kind: 'message', data, ids });
  }
  kill() {
    return this.child.kill();
  }
}

/**
 * `electron`: what `import('electron')` gives the main process. `control`: what the user, the system and the pages do.
 */
export function createFakeElectron() {
  /** Every call of Electron's, in order: [name, ...arguments]. */
  const calls = [];
  const windows = [];
  const children = [];
  const handlers = new Map();
  const invokeHandlers = new Map();
  let ready = false;
  let becomeReady;
  const whenReady = new Promise((resolve) => {
    becomeReady = resolve;
  });
  let quitting = false;
  let exited = false;
  let onExit;
  const exit = new Promise((resolve) => {
    onExit = resolve;
  });

  const onlyBeforeReady = (name) => {
    if (ready) throw new Error(`${name} can only be called before app is ready`);
  };
  const onlyAfterReady = (name) => {
    if (!ready) throw new Error(`${name} can only be called after app is ready`);
  };
  const event = (more = {}) => ({
    defaultPrevented: false,
    preventDefault() {
      this.defaultPrevented = true;
    },
    ...more,
  });

  class App extends EventEmitter {
    enableSandbox() {
      onlyBeforeReady('app.enableSandbox()');
      calls.push(['app.enableSandbox']);
    }
    whenReady() {
      return whenReady;
    }
    isReady() {
      return ready;
    }
    quit() {
      calls.push(['app.quit']);
      if (exited) return;
      quitting = true;
      setImmediate(() => {
        const before = event();
        this.emit('before-quit', before);
        if (before.defaultPrevented) return;
        for (const window of [...windows]) window.close();
        maybeExit();
      });
    }
  }
  const app = new App();
  function maybeExit() {
    if (exited || windows.length > 0) return;
    const last = event();
    app.emit('will-quit', last);
    if (last.defaultPrevented) {
      // until the app calls quit() again, as in Electron
      quitting = false;
      return;
    }
    exited = true;
    app.emit('quit', event(), 0);
    onExit();
  }

  class WebContents extends EventEmitter {
    constructor(id) {
      super();
      this.id = id;
      this.destroyed = false;
      this.url = '';
      this.mainFrame = null;
      this.toPage = new EventEmitter();
      this.windowOpenHandler = null;
      this.sent = [];
    }
    send(channel, ...args) {
      if (this.destroyed) throw new TypeError('Object has been destroyed');
      const cloned = structuredClone(args);
      this.sent.push([channel, ...cloned]);
      setImmediate(() => this.toPage.emit(channel, { ports: [] }, ...cloned));
    }
    isDestroyed() {
      return this.destroyed;
    }
    setWindowOpenHandler(handler) {
      this.windowOpenHandler = handler;
    }
  }

  class BrowserWindow extends EventEmitter {
    constructor(options) {
      super();
      onlyAfterReady('BrowserWindow');
      calls.push(['BrowserWindow', options]);
      this.options = options;
      this.loads = [];
      this.webContents = new WebContents(windows.length + 1);
      windows.push(this);
      app.emit('web-contents-created', event(), this.webContents);
    }
    async loadURL(url) {
      calls.push(['loadURL', url]);
      const { webContents } = this;
      webContents.emit('did-start-navigation', event({ url, isMainFrame: true, isSameDocument: false }));
      webContents.url = url;
      webContents.mainFrame = { url, parent: null };
      webContents.toPage = new EventEmitter();
      const { protocol } = new URL(url);
      const load = handlers.get(protocol.slice(0, -1))?.(new Request(url));
      this.loads.push(load);
      await load;
      this.emit('ready-to-show');
    }
    show() {
      calls.push(['show']);
    }
    isDestroyed() {
      return this.webContents.destroyed;
    }
    close() {
      if (!windows.includes(this)) return;
      this.destroy();
    }
    destroy() {
      windows.splice(windows.indexOf(this), 1);
      this.webContents.destroyed = true;
      this.webContents.emit('destroyed');
      this.emit('closed');
      if (windows.length > 0) return;
      if (quitting) return;
      if (app.listenerCount('window-all-closed') === 0) app.quit();
      else app.emit('window-all-closed');
    }
  }

  const ipcMain = new (class extends EventEmitter {
    handle(channel, handler) {
      invokeHandlers.set(channel, handler);
    }
    removeHandler(channel) {
      invokeHandlers.delete(channel);
    }
  })();

  const electron = {
    app,
    BrowserWindow,
    ipcMain,
    powerMonitor: new EventEmitter(),
    protocol: {
      registerSchemesAsPrivileged(schemes) {
        onlyBeforeReady('protocol.registerSchemesAsPrivileged');
        calls.push(['registerSchemesAsPrivileged', schemes]);
      },
      handle(scheme, handler) {
        onlyAfterReady('protocol.handle');
        calls.push(['protocol.handle', scheme]);
        handlers.set(scheme, handler);
      },
    },
    session: {
      defaultSession: {
        setPermissionRequestHandler(handler) {
          onlyAfterReady('session.defaultSession');
          calls.push(['setPermissionRequestHandler']);
          electron.permissionHandler = handler;
        },
      },
    },
    utilityProcess: {
      fork(modulePath, args, options) {
        onlyAfterReady('utilityProcess.fork');
        calls.push(['utilityProcess.fork', modulePath, args, options]);
        const child = new FakeUtilityProcess(calls, modulePath, args, options);
        children.push(child);
        return child;
      },
    },
  };

  /** What `ipcRenderer` is in a page's preload script. `frame`: another one than the page's top frame. */
  function ipcRendererOf(contents, frame) {
    const meta = (ports = []) => ({ sender: contents, senderFrame: frame ?? contents.mainFrame, ports });
    const { toPage } = contents;
    return {
      on(channel, listener) {
        toPage.on(channel, listener);
      },
      send(channel, ...args) {
        const cloned = structuredClone(args);
        setImmediate(() => ipcMain.emit(channel, meta(), ...cloned));
      },
      postMessage(channel, message, ports = []) {
        const cloned = structuredClone(message);
        const mains = ports.map((port) => new FakePortMain(port));
        setImmediate(() => ipcMain.emit(channel, meta(mains), cloned));
      },
      async invoke(channel, ...args) {
        const cloned = structuredClone(args);
        await new Promise((resolve) => setImmediate(resolve));
        const handler = invokeHandlers.get(channel);
        if (handler === undefined) throw new Error(`Error invoking remote method '${channel}': no handler`);
        return structuredClone(await handler(meta(), ...cloned));
      },
    };
  }

  const control = {
    calls,
    windows,
    children,
    exit,
    /** As Electron: not before the app's main module has been evaluated. */
    becomeReady() {
      ready = true;
      app.emit('ready', event());
      becomeReady();
    },
    handlerOf: (scheme) => handlers.get(scheme),
    ipcRendererOf,
    /** Runs the window's preload script as a sandbox does: no `require` but of Electron's. Gives what the page sees. */
    runPreload(window, frame) {
      const exposed = {};
      const ipcRenderer = ipcRendererOf(window.webContents, frame);
      const contextBridge = {
        exposeInMainWorld(name, api) {
          exposed[name] = Object.freeze({ ...api });
        },
      };
      const require = (name) => {
        if (name === 'electron') return { contextBridge, ipcRenderer };
        throw new Error(`module not found: ${name}`);
      };
      const path = window.options.webPreferences.preload;
      const code = `(function (require, module, exports, process) {${readFileSync(path, 'utf8')}\n})`;
      runInThisContext(code, { filename: path })(require, { exports: {} }, {}, undefined);
      return exposed;
    },
    navigate(contents, url) {
      const navigation = event({ url });
      contents.emit('will-navigate', navigation);
      return !navigation.defaultPrevented;
    },
    crash(window, reason = 'crashed') {
      window.webContents.emit('render-process-gone', event(), { reason, exitCode: 5 });
    },
  };
  return { electron, control };
}

export const PARENT_PORT_PATH = fileURLToPath(PARENT_PORT);
