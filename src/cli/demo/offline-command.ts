import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Interrupt } from '../interrupt.js';
import type { ParameterChange } from './audio/offline.js';
import { BLOCK_SAMPLE_FRAMES, PARAMETERS } from './audio/parameters.js';
import { type ChangeFile, readChanges } from './change-file.js';
import type { DemoEvent } from './events/event.js';
import { EventMapper } from './events/mapping.js';
import { CHANGES_NAME, WAV_NAME } from './live-command.js';
import type { DemoOptions } from './options.js';
import type { Output } from './output.js';
import { loadEvents, loadSound, prepareOut, type Sound, writeOutput } from './prepare.js';
import { readEnvironment } from './report/environment.js';
import { type DemoReport, emptyLane, emptyLatency } from './report/report.js';
import { renderOfflineThread } from './verify.js';

/**
 * `frame-deadline demo --offline`: the sound in one go, without real time. The changes come from the log that a run
 * left in the output directory; with `--events`, or without a log, from the events, each at the block that holds its
 * time. With the log of a run without xruns the result has the bits of what that run played, and this is checked.
 */
export async function runOfflineCommand(
  options: DemoOptions,
  interrupt: Interrupt,
  output: Output,
): Promise<DemoReport> {
  const environment = readEnvironment();
  const out = prepareOut(options.out);
  const log = options.events === null ? readChanges(join(out, CHANGES_NAME)) : null;
  const sound = loadSound(soundOf(options, log));
  const events = log === null ? loadEvents(options.events, sound.seconds, options.seed) : null;
  const blocks = log !== null && options.seconds === null ? log.header.blocks : sound.blocks;
  const changes = log?.changes ?? changesOf(events!, sound);
  const wavPath = join(out, 'offline.wav');
  const played = join(out, WAV_NAME);
  const comparable = log !== null && log.header.xruns === 0 && blocks === log.header.blocks && existsSync(played);
  await turn();
  const result = interrupt.happened
    ? null
    : await renderOfflineThread(
        {
          audio: sound.audio,
          pastEnd: sound.pastEnd,
          changes,
          blocks,
          writeTo: wavPath,
          compareWith: comparable ? played : null,
        },
        interrupt.signal,
      );
  if (result?.identical === false) {
    output.line(
      result.firstDifferentBlock === null
        ? `${played} has another length or format`
        : `${played} differs from block ${result.firstDifferentBlock} on`,
    );
  }
  const { sampleRateHz, channels } = sound.audio;
  const rendered = result === null ? 0 : blocks;
  const report: DemoReport = {
    schemaVersion: 1,
    interrupted: interrupt.happened,
    durationS: Math.round(((rendered * BLOCK_SAMPLE_FRAMES) / sampleRateHz) * 1e3) / 1e3,
    environment,
    lanes: {
      audio: emptyLane((BLOCK_SAMPLE_FRAMES / sampleRateHz) * 1000),
      input: emptyLane(1),
      render: emptyLane(16),
    },
    frames: { intended: 0, rendered: 0, missed: 0, droppedTicks: 0 },
    audio: {
      file: sound.file,
      sampleRateHz,
      channels,
      blocks: rendered,
      bufferBlocks: options.bufferBlocks,
      xruns: 0,
      identicalToOffline: result?.identical ?? null,
    },
    input: { events: events?.length ?? 0, applied: events?.length ?? 0, latencyUs: emptyLatency() },
    workers: [],
    files: {
      wav: result === null ? null : wavPath,
      png: null,
      changes: log === null ? null : join(out, CHANGES_NAME),
      report: join(out, 'offline-report.json'),
      html: null,
      trace: null,
      hlog: null,
    },
  };
  writeOutput(report.files.report!, `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

/** The run's own sound, unless another is asked for. */
function soundOf(options: DemoOptions, log: ChangeFile | null): { audio: string | null; seconds: number | null } {
  const { audio, seconds } = options;
  if (log === null) return { audio, seconds };
  if (audio !== null) return { audio, seconds: seconds ?? log.header.seconds };
  // generated music depends on its length: a part of it is not the music of that length
  if (log.header.audio === null) return { audio: null, seconds: log.header.seconds };
  return { audio: log.header.audio, seconds: seconds ?? log.header.seconds };
}

/** Each event's changes at the block that holds its time. */
function changesOf(events: readonly DemoEvent[], sound: Sound): ParameterChange[] {
  const mapper = new EventMapper(PARAMETERS);
  const blocksPerUs = sound.audio.sampleRateHz / BLOCK_SAMPLE_FRAMES / 1e6;
  const changes: ParameterChange[] = [];
  for (const event of events) {
    const count = mapper.map(event);
    for (let i = 0; i < count; i++) {
      const block = Math.floor(event.timeUs * blocksPerUs);
      changes.push({ block, parameter: mapper.parameters[i]!, value: mapper.values[i]! });
    }
  }
  return changes;
}
