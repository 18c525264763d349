import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { emitKeypressEvents } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromeTrace } from '../../report/trace.js';
import { type LiveStream, Painter } from '../demo/terminal/painter.js';
import type { TopModel } from './model.js';
import { renderTop, type TopState } from './view.js';
import type { TopWatch } from './watch.js';

interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
  readonly shift?: boolean;
}

/** Keys come from it where it is a terminal: `process.stdin` is one. */
export type KeyStream = NodeJS.ReadStream;

const INTERRUPTED_STATUS = 130;

/** `top` on a terminal: a picture for each interval, and keys. Main thread only. */
export class TopScreen {
  private readonly keys: KeyStream;
  private readonly watch: TopWatch;
  private readonly everyMs: number;
  private readonly end: AbortController;
  private readonly painter: Painter;
  private readonly stream: LiveStream;
  private readonly title: string;
  private model: TopModel | null;
  private state: TopState;
  private status: number;
  private isSaving: boolean;

  constructor(keys: KeyStream, stream: LiveStream, watch: TopWatch, everyMs: number, signal: AbortSignal) {
    this.keys = keys;
    this.stream = stream;
    this.watch = watch;
    this.everyMs = everyMs;
    this.end = new AbortController();
    this.painter = new Painter(stream, () => this.paint());
    const { name, pid } = watch.client.process;
    this.title = `${name} (${pid})`;
    this.model = null;
    this.state = { isPaused: false, selected: null, message: null, everyMs };
    this.status = 0;
    this.isSaving = false;
    signal.addEventListener('abort', () => this.end.abort(), { once: true });
    if (signal.aborted) this.end.abort();
  }

  /**
   * Runs until the user ends it. Puts the terminal back whatever happens.
   * @param signalStatus exit status by a signal, or 0
   * @throws FrameDeadlineError TELEMETRY_ENDED when the app ends
   */
  async run(signalStatus: () => number): Promise<number> {
    const onKey = (_: string | undefined, key: Key): void => this.take(key);
    const onContinue = (): void => {
      this.setRawMode(true);
      this.paint();
    };
    // a terminal that is gone has no user
    const onGone = (): void => this.end.abort();
    emitKeypressEvents(this.keys);
    this.keys.on('keypress', onKey).on('end', this.keys.isTTY ? onGone : () => {});
    this.keys.on('error', () => {});
    process.on('SIGCONT', onContinue);
    try {
      this.setRawMode(true);
      if (this.keys.isTTY) this.keys.resume();
      this.paint();
      while (!this.end.signal.aborted) {
        const ended = await Promise.race([
          sleep(this.everyMs, null, { signal: this.end.signal }).catch(() => null),
          this.watch.client.ended,
        ]);
        if (ended !== null) throw ended;
        if (this.end.signal.aborted) break;
        if (this.state.isPaused) continue;
        const model = await this.watch.next();
        // a pause that came meanwhile keeps the picture that the user saw
        if (!this.state.isPaused) this.model = model;
        this.paint();
      }
      return signalStatus() || this.status;
    } finally {
      process.off('SIGCONT', onContinue);
      this.keys.off('keypress', onKey);
      this.setRawMode(false);
      this.keys.pause();
      this.painter.end();
    }
  }

  private setRawMode(on: boolean): void {
    if (this.keys.isTTY) this.keys.setRawMode(on);
  }

  private paint(): void {
    // a terminal that is still busy with the picture before gets the next one
    if (this.stream.writableNeedDrain === true || this.end.signal.aborted) return;
    this.painter.paint((canvas) => renderTop(this.model, this.title, this.state, canvas));
  }

  private take({ name, ctrl, shift }: Key): void {
    if (ctrl) {
      if (name === 'c') {
        this.status = INTERRUPTED_STATUS;
        this.end.abort();
      } else if (name === 'z' && process.platform !== 'win32') {
        this.setRawMode(false);
        process.kill(process.pid, 'SIGTSTP');
      } else if (name === 'l') this.paint();
      return;
    }
    switch (name) {
      case 'q':
        this.end.abort();
        return;
      case 'p':
      case 'space':
        this.change({ isPaused: !this.state.isPaused });
        return;
      case 'tab':
        this.select(shift ? -1 : 1);
        return;
      case 'down':
        this.select(1);
        return;
      case 'up':
        this.select(-1);
        return;
      case 't':
        void this.save('trace', async () => chromeTrace(await this.watch.client.trace()));
        return;
      case 'r':
        void this.save('report', async () => JSON.stringify((await this.watch.client.telemetry()).telemetry));
    }
  }

  private change(part: Partial<TopState>): void {
    this.state = { ...this.state, message: null, ...part };
    this.paint();
  }

  /** One after the last, and one before the first, is none. */
  private select(step: number): void {
    const count = (this.model?.lanes.length ?? 0) + 1;
    const at = ((this.state.selected ?? -1) + 1 + step + count) % count;
    this.change({ selected: at === 0 ? null : at - 1 });
  }

  /** Never overwrites a file. */
  private async save(what: 'trace' | 'report', text: () => Promise<string>): Promise<void> {
    if (this.isSaving) return;
    this.isSaving = true;
    try {
      const stamp = new Date().toISOString().replace(/[:.]/g, '-');
      const file = resolve(`frame-deadline-${this.watch.client.process.pid}-${stamp}.${what}.json`);
      writeFileSync(file, await text(), { flag: 'wx' });
      this.change({ message: `${what} saved in ${file}` });
    } catch (error) {
      this.change({ message: `the ${what} was not saved: ${(error as Error).message}` });
    } finally {
      this.isSaving = false;
    }
  }
}
