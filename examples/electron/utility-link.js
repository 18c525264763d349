// Main's end of the utility process: starts it, starts it again when it dies, hands pages' ports on, closes it.

const CLOSE_MS = 3000;
const STABLE_MS = 10_000;
const MOST_DEATHS = 3;

export class UtilityLink {
  /**
   * @param {Pick<typeof import('electron').utilityProcess, 'fork'>} utilityProcess
   * @param {string} modulePath
   */
  constructor(utilityProcess, modulePath) {
    this.utilityProcess = utilityProcess;
    this.modulePath = modulePath;
    this.deaths = 0;
    this.closing = false;
    /** @type {import('electron').UtilityProcess | null} */
    this.child = null;
  }

  start() {
    const child = this.utilityProcess.fork(this.modulePath, [], { serviceName: 'frame-deadline' });
    const startedMs = performance.now();
    this.child = child;
    child.once('exit', (code) => {
      this.child = null;
      if (this.closing) return;
      this.deaths = performance.now() - startedMs > STABLE_MS ? 1 : this.deaths + 1;
      const again = this.deaths <= MOST_DEATHS;
      console.error(`the utility process ended with code ${code}; ${again ? 'starting it again' : 'giving it up'}`);
      if (again) this.start();
    });
  }

  /** What the process has to send goes to this port from now on. @param {import('electron').MessagePortMain} port */
  connect(port) {
    if (this.child === null) port.close();
    else this.child.postMessage('serve', [port]);
  }

  pause() {
    this.child?.postMessage('pause');
  }

  run() {
    this.child?.postMessage('run');
  }

  /** Lets it close its scheduler; ends it if that takes too long. */
  async close() {
    this.closing = true;
    const { child } = this;
    if (child === null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.postMessage('close');
    const timer = setTimeout(() => child.kill(), CLOSE_MS);
    await ended;
    clearTimeout(timer);
  }
}
