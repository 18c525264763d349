import { join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Interrupt } from '../interrupt.js';
import { formatChanges } from './change-file.js';
import { type LiveResult, runLive } from './live/live-run.js';
import type { MetricsServer } from './live/metrics-server.js';
import type { DemoOptions } from './options.js';
import type { Output } from './output.js';
import { encodePng } from './picture/png.js';
import { loadEvents, loadSound, prepareOut, removeOutput, type Sound, writeOutput } from './prepare.js';
import { type Environment, readEnvironment } from './report/environment.js';
import { type DemoReport, emptyLane, emptyLatency, LANES, laneReport, workerReports } from './report/report.js';
import { PICTURE_HEIGHT, PICTURE_WIDTH } from './stage/stage.js';
import { renderOfflineThread } from './verify.js';

export const WAV_NAME = 'audio.wav';
export const CHANGES_NAME = 'changes.jsonl';
const PICTURE_NAME = 'last-frame.png';
const REPORT_NAME = 'report.json';
const HTML_NAME = 'report.html';
const TRACE_NAME = 'trace.json';
const HLOG_NAME = 'latencies.hlog';

/** A sound card is never late; a thread that plays one is, on a busy machine. */
const LATE_SINK_US = 5000;
/** After Ctrl-C nobody wants to wait for a long comparison. */
const MAX_SECONDS_COMPARED_AFTER_INTERRUPT = 60;

/** `frame-deadline demo` in real time. Returns the report, which is also written. */
export async function runLiveCommand(options: DemoOptions, interrupt: Interrupt, output: Output): Promise<DemoReport> {
  const environment = readEnvironment();
  const sound = loadSound(options);
  const events = loadEvents(options.events, sound.seconds, options.seed);
  const out = prepareOut(options.out);
  for (const warning of sound.audio.warnings) output.line(`${sound.file}: ${warning}`);
  // signals that came meanwhile are heard now
  await turn();
  const wavPath = join(out, WAV_NAME);
  // a log beside the sound of another run would be taken for its own
  const stale = [CHANGES_NAME, PICTURE_NAME, REPORT_NAME, HTML_NAME, TRACE_NAME, HLOG_NAME];
  for (const name of stale) removeOutput(join(out, name));
  const metrics = options.prometheus === null ? null : await listen(options.prometheus, output);
  let result: LiveResult | null = null;
  if (!interrupt.happened) {
    const screen = output.screen();
    try {
      result = await runLive({
        sound,
        events,
        bufferBlocks: options.bufferBlocks,
        renderWorkers: options.workers,
        usableCpus: environment.usableCpus,
        priority: options.priority,
        load: options.load,
        wavPath,
        trace: options.trace,
        hlog: options.hlog,
        metrics,
        serve: options.serve,
        screen,
        signal: interrupt.signal,
      });
    } finally {
      screen?.end();
      metrics?.close();
    }
  } else metrics?.close();
  if (result !== null && result.sink.xruns > 0 && result.sink.latestUs > LATE_SINK_US) {
    const ms = (result.sink.latestUs / 1000).toFixed(1);
    output.line(`the sink itself was woken up to ${ms} ms late: some xruns may be its own`);
  }
  const identical = result === null ? null : await compare(sound, result, wavPath, interrupt, output);
  const files: DemoReport['files'] = {
    wav: null,
    png: null,
    changes: null,
    report: join(out, REPORT_NAME),
    html: null,
    trace: null,
    hlog: null,
  };
  if (result !== null) {
    files.wav = wavPath;
    files.changes = join(out, CHANGES_NAME);
    writeOutput(files.changes, formatChanges({ header: headerOf(sound, result), changes: result.changes }));
    if (result.picture !== null) {
      files.png = join(out, PICTURE_NAME);
      writeOutput(files.png, encodePng(PICTURE_WIDTH, PICTURE_HEIGHT, result.picture));
    }
    await writeTelemetry(options, result, out, files);
  }
  const report = makeReport(options, sound, events.length, environment, result, identical, files, interrupt.happened);
  const { telemetry } = result ?? {};
  writeOutput(files.report!, `${JSON.stringify({ ...report, telemetry }, null, 2)}\n`);
  return report;
}

async function listen(port: number, output: Output): Promise<MetricsServer> {
  const { MetricsServer } = await import('./live/metrics-server.js');
  const server = await MetricsServer.listen(port);
  output.line(`metrics: ${server.url}`);
  return server;
}

/** The files that are made of the telemetry, as far as they were asked for; what is not asked for is not even loaded. */
async function writeTelemetry(
  options: DemoOptions,
  { telemetry, trace, hlog }: LiveResult,
  out: string,
  files: DemoReport['files'],
): Promise<void> {
  if (options.report) {
    const { htmlReport } = await import('../../report/report.js');
    files.html = join(out, HTML_NAME);
    writeOutput(files.html, htmlReport(telemetry, { title: 'frame-deadline demo' }));
  }
  if (trace !== null) {
    const { chromeTrace } = await import('../../report/trace.js');
    files.trace = join(out, TRACE_NAME);
    writeOutput(files.trace, chromeTrace(trace));
  }
  if (hlog !== null) {
    files.hlog = join(out, HLOG_NAME);
    writeOutput(files.hlog, hlog);
  }
}

/** Whether what was played has the bits of the offline rendering; null where silence was played or it was given up. */
async function compare(
  sound: Sound,
  result: LiveResult,
  wavPath: string,
  interrupt: Interrupt,
  output: Output,
): Promise<boolean | null> {
  const { sink } = result;
  if (sink.xruns > 0 || sink.periods === 0) return null;
  if (sink.unrecordedSampleFrames > 0) {
    output.line(`the disk was too slow: ${sink.unrecordedSampleFrames} sample frames are not in ${wavPath}`);
    return null;
  }
  if (interrupt.happened && result.durationS > MAX_SECONDS_COMPARED_AFTER_INTERRUPT) return null;
  const compared = await renderOfflineThread(
    {
      audio: sound.audio,
      pastEnd: sound.pastEnd,
      changes: result.changes,
      blocks: sink.periods,
      writeTo: null,
      compareWith: wavPath,
    },
    interrupt.signal,
  );
  return compared?.identical ?? null;
}

function headerOf(sound: Sound, { sink }: LiveResult) {
  return {
    type: 'run',
    schemaVersion: 1,
    audio: sound.file === null ? null : resolve(sound.file),
    seconds: sound.seconds,
    sampleRateHz: sound.audio.sampleRateHz,
    channels: sound.audio.channels,
    blocks: sink.periods,
    xruns: sink.xruns,
  } as const;
}

function makeReport(
  options: DemoOptions,
  sound: Sound,
  eventCount: number,
  environment: Environment,
  result: LiveResult | null,
  identicalToOffline: boolean | null,
  files: DemoReport['files'],
  interrupted: boolean,
): DemoReport {
  const { sampleRateHz, channels } = sound.audio;
  const loop = result?.snapshot.loops.at(-1);
  const lanes = LANES.map((name) => {
    const lane = result?.snapshot.lanes[name];
    return [name, lane === undefined ? emptyLane(16) : laneReport(lane)] as const;
  });
  return {
    schemaVersion: 1,
    interrupted,
    durationS: Math.round((result?.durationS ?? 0) * 1e3) / 1e3,
    environment,
    lanes: Object.fromEntries(lanes) as DemoReport['lanes'],
    frames: {
      intended: loop?.intendedTicks ?? 0,
      rendered: loop?.frames ?? 0,
      missed: (loop?.missedFrames ?? 0) + (loop?.droppedTicks ?? 0),
      droppedTicks: loop?.droppedTicks ?? 0,
    },
    audio: {
      file: sound.file,
      sampleRateHz,
      channels,
      blocks: result?.sink.periods ?? 0,
      bufferBlocks: options.bufferBlocks,
      xruns: result?.sink.xruns ?? 0,
      identicalToOffline,
    },
    input: {
      events: eventCount,
      applied: result?.appliedEvents ?? 0,
      latencyUs: result?.latencyUs ?? emptyLatency(),
    },
    workers: result === null ? [] : workerReports(result.description),
    files,
  };
}
