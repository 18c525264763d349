import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FrameDeadlineError } from '../../base/errors.js';
import type { DecodedAudio } from './audio/decoded-audio.js';
import { generateMusic } from './audio/music.js';
import { BLOCK_SAMPLE_FRAMES } from './audio/parameters.js';
import { readWav } from './audio/wav-reader.js';
import type { DemoEvent } from './events/event.js';
import { readEvents } from './events/event-file.js';
import { generateGesture } from './events/gesture.js';

const DEFAULT_SECONDS = 10;
/** What is generated is at most this long, and comes again from its start: making it blocks. */
const MAX_GENERATED_SECONDS = 120;
/** What the 32-bit sizes of a WAV allow, less room for its header. */
const MAX_WAV_BYTES = 0xffff_ffff - 64;

/** Past its end a file is silent; generated music comes again. */
export type PastEnd = 'silence' | 'loop';

export interface SoundRequest {
  readonly audio: string | null;
  readonly seconds: number | null;
}

export interface Sound {
  readonly audio: DecodedAudio;
  /** null for generated music. */
  readonly file: string | null;
  readonly seconds: number;
  readonly pastEnd: PastEnd;
  /** Periods of 128 sample frames that `seconds` take, at least 1. */
  readonly blocks: number;
}

/**
 * Reads the sound, or generates one. Blocks.
 * @throws FrameDeadlineError FILE_UNREADABLE, WAV_INVALID, WAV_UNSUPPORTED, OUTPUT_UNWRITABLE for more than a WAV holds
 */
export function loadSound({ audio: file, seconds: asked }: SoundRequest): Sound {
  const ownSeconds = asked ?? DEFAULT_SECONDS;
  const audio = file === null ? generateMusic(Math.min(ownSeconds, MAX_GENERATED_SECONDS)) : readWav(file);
  const seconds = asked ?? (file === null ? ownSeconds : audio.sampleFrames / audio.sampleRateHz);
  if (seconds === 0) {
    throw new FrameDeadlineError('WAV_INVALID', `${file} holds no sound; give another file, or --seconds for silence`);
  }
  const blocks = Math.max(1, Math.ceil((seconds * audio.sampleRateHz) / BLOCK_SAMPLE_FRAMES - 1e-6));
  if (blocks * BLOCK_SAMPLE_FRAMES * audio.channels * 4 > MAX_WAV_BYTES) {
    const message = `${seconds.toFixed(0)} s of ${audio.channels} channels at ${audio.sampleRateHz} Hz are more than the 4 GiB that a WAV holds; give fewer --seconds`;
    throw new FrameDeadlineError('OUTPUT_UNWRITABLE', message);
  }
  return { audio, file, seconds, pastEnd: file === null ? 'loop' : 'silence', blocks };
}

/**
 * Reads the events, or generates a gesture of that length from the seed. Blocks.
 * @throws FrameDeadlineError FILE_UNREADABLE, EVENTS_INVALID
 */
export function loadEvents(file: string | null, seconds: number, seed: number): DemoEvent[] {
  if (file !== null) return readEvents(file);
  const durationUs = seconds * 1e6;
  const roundUs = MAX_GENERATED_SECONDS * 1e6;
  const gesture = generateGesture(Math.min(durationUs, roundUs), undefined, seed);
  const events = gesture.slice();
  for (let offsetUs = roundUs; offsetUs < durationUs; offsetUs += roundUs) {
    for (const event of gesture) {
      const timeUs = event.timeUs + offsetUs;
      if (timeUs < durationUs) events.push({ ...event, timeUs });
    }
  }
  return events;
}

/**
 * Makes the output directory and makes sure that files can be written there. Returns its absolute path.
 * @throws FrameDeadlineError OUTPUT_UNWRITABLE
 */
export function prepareOut(out: string): string {
  const directory = resolve(out);
  const probe = join(directory, `.frame-deadline-${process.pid}`);
  try {
    makeDirectory(directory);
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (cause) {
    throw unwritable(directory, cause);
  }
  return directory;
}

/** Level by level: Node's own recursive way never returns where the system says ENOENT for what it should make (`/proc`). */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  makeDirectory(dirname(directory));
  mkdirSync(directory);
}

/** Removes a file of an earlier run, if it is there. @throws FrameDeadlineError OUTPUT_UNWRITABLE */
export function removeOutput(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** Writes a whole file. @throws FrameDeadlineError OUTPUT_UNWRITABLE */
export function writeOutput(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): FrameDeadlineError {
  const why = (cause as NodeJS.ErrnoException | null)?.code ?? String(cause);
  return new FrameDeadlineError('OUTPUT_UNWRITABLE', `cannot write ${path} (${why}); give --out a writable directory`, {
    cause,
  });
}
