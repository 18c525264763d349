import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * CPU-hog processes beside the run. They are gone after `end`, when this process exits, and, since they watch a pipe
 * from it, when it is killed.
 */
export class Hogs {
  private readonly processes: ChildProcess[];
  private readonly onExit: () => void;

  constructor(count: number) {
    const module = fileURLToPath(new URL('./hog.js', import.meta.url));
    this.processes = [];
    this.onExit = () => {
      for (const child of this.processes) child.kill('SIGKILL');
    };
    process.on('exit', this.onExit);
    for (let n = 0; n < count; n++) {
      const child = spawn(process.execPath, [module], { stdio: ['pipe', 'ignore', 'ignore'] });
      // one that cannot be started is missing in `running`
      child.on('error', () => {});
      child.stdin?.on('error', () => {});
      this.processes.push(child);
    }
  }

  /** Process ids of those that run. */
  running(): number[] {
    return this.processes.flatMap((child) => (isRunning(child) ? [child.pid!] : []));
  }

  /** Ends them and resolves when they are gone. */
  async end(): Promise<void> {
    await Promise.all(
      this.processes.filter(isRunning).map(
        (child) =>
          new Promise<void>((resolve) => {
            child.once('exit', () => resolve());
            child.kill('SIGKILL');
          }),
      ),
    );
    process.off('exit', this.onExit);
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}
