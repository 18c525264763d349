// What browser.test.ts runs in its page.
import { createScheduler } from '../../dist/web.js';
import { AudioClock, createCaptureNode, createPlaybackNode, StreamRing } from '../../dist/web-audio/index.js';

const STOP = 0;
const STALL_MS = 1;
const EVENT = 2;
const ANSWERED_AT = 3;

/** control words of ramp.tasks.js */
const HANG = 0;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const ringOf = (channels, capacitySampleFrames) => StreamRing.allocate({ kind: 'f32', channels, capacitySampleFrames });
const rampAt = (i) => (i % 8_388_608) + 1;

async function until(condition, what) {
  for (const start = performance.now(); !condition(); await sleep(5)) {
    if (performance.now() - start > 20_000) throw new Error(`not within 20 s: ${what}`);
  }
}

/** A live context whose playback node plays into a capture node: what was heard is read back. */
async function live(targetDepth) {
  const context = new AudioContext({ sampleRate: 48_000 });
  await context.resume();
  const ring = ringOf(1, 32_768);
  const clock = AudioClock.allocate(ring, targetDepth);
  const playback = await createPlaybackNode(context, ring, { clock });
  const recorded = ringOf(1, 2 ** 20);
  const capture = await createCaptureNode(context, recorded);
  playback.node.connect(capture.node);
  const control = new Int32Array(new SharedArrayBuffer(16));
  const worker = new Worker(new URL('./lane.worker.js', import.meta.url), { type: 'module' });
  worker.postMessage({ ring: ring.buffer, clock: clock.buffer, control: control.buffer, periodMs: 2.5 });
  await until(() => playback.state() === 'flowing', 'sound');
  const stop = async () => {
    Atomics.store(control, STOP, 1);
    Atomics.notify(control, STOP);
    await playback.ended;
    capture.close();
    await capture.ended;
    const consumer = recorded.consumer();
    const samples = new Float32Array(consumer.readableSampleFrames());
    consumer.read(samples, 0, samples.length);
    await context.close();
    return samples;
  };
  return { context, playback, capture, control, stop };
}

/** The ramp, with silence where it had gaps. `wrongSinceFirst`: of one that was recorded from later than its beginning. */
function judge(samples) {
  const first = (samples.find((sample) => sample !== 0) ?? 1) - 1;
  let heard = 0;
  let wrong = 0;
  let wrongSinceFirst = 0;
  let gaps = 0;
  samples.forEach((sample, i) => {
    if (sample !== 0) {
      // not the silence before and after it
      if (heard > 0 && samples[i - 1] === 0) gaps++;
      if (sample !== rampAt(heard)) wrong++;
      if (sample !== rampAt(first + heard)) wrongSinceFirst++;
      heard++;
    }
  });
  return { heard, wrong, wrongSinceFirst, gaps };
}

globalThis.audioTests = {
  async offline({ channels, sampleFrames }) {
    const context = new OfflineAudioContext(1, sampleFrames + 256, 48_000);
    const ring = ringOf(channels, 8192);
    const producer = ring.producer();
    const playback = await createPlaybackNode(context, ring);
    const recorded = ringOf(channels, 8192);
    const capture = await createCaptureNode(context, recorded, { channelInterpretation: 'discrete' });
    for (let port = 0; port < playback.node.numberOfOutputs; port++) playback.node.connect(capture.node, port, port);
    const samples = Float32Array.from({ length: sampleFrames * channels }, (_, i) => Math.sin(i * 0.37) * 2);
    producer.write(samples, 0, sampleFrames);
    producer.close();
    await context.startRendering();
    const got = new Float32Array(sampleFrames * channels);
    const heard = recorded.consumer().read(got, 0, sampleFrames) * channels;
    let wrong = 0;
    for (let i = 0; i < heard; i++) if (got[i] !== samples[i]) wrong++;
    await playback.ended;
    const { underruns, missingItems } = playback.xruns();
    return { wrong, heard, state: playback.state(), underruns, missingItems };
  },

  async loop({ seconds, targetDepth }) {
    const { context, playback, capture, stop } = await live(targetDepth);
    let deepest = 0;
    for (const start = performance.now(); performance.now() - start < seconds * 1000; await sleep(10)) {
      deepest = Math.max(deepest, playback.depthSampleFrames());
    }
    const state = playback.state();
    const latencySeconds = playback.latencySeconds();
    const { baseLatency, outputLatency } = context;
    const samples = await stop();
    const xruns = { playback: playback.xruns(), capture: capture.xruns() };
    return { ...judge(samples), state, deepest, latencySeconds, baseLatency, outputLatency, ...xruns };
  },

  async stall({ targetDepth }) {
    const { playback, control, stop } = await live(targetDepth);
    await sleep(300);
    const before = playback.xruns();
    Atomics.store(control, STALL_MS, 200);
    await until(() => playback.xruns().underruns > before.underruns, 'an xrun');
    await until(() => playback.state() === 'flowing', 'sound again');
    await sleep(300);
    const after = playback.xruns();
    const depthAfter = playback.depthSampleFrames();
    const samples = await stop();
    return {
      ...judge(samples),
      underruns: after.underruns - before.underruns,
      missing: after.missingItems - before.missingItems,
      depthAfter,
    };
  },

  async event({ targetDepth }) {
    const { context, playback, capture, control, stop } = await live(targetDepth);
    await sleep(500);
    const { underruns } = playback.xruns();
    const eventMs = performance.now();
    const eventAt = context.currentTime * context.sampleRate;
    Atomics.store(control, EVENT, 1);
    await until(() => Atomics.load(control, EVENT) === 3, 'the answer');
    const answeredAt = Atomics.load(control, ANSWERED_AT);
    const predictedAt = playback.clock.deviceSampleFrameOf(answeredAt, eventAt);
    const latencyMs = playback.soundTimeMs(answeredAt) - eventMs;
    const told = playback.latencySeconds() * 1000;
    await until(() => context.currentTime * context.sampleRate > predictedAt + 2048, 'the sound');
    const disturbed = playback.xruns().underruns !== underruns;
    const captureClock = capture.clock;
    const samples = await stop();
    const mark = samples.indexOf(-1);
    return {
      markedAt: captureClock.deviceSampleFrameOf(mark, eventAt),
      markedAtByContext: Math.round(capture.contextTimeOf(mark) * context.sampleRate),
      predictedAt,
      disturbed,
      afterSampleFrames: predictedAt - eventAt,
      latencyMs,
      told,
    };
  },

  async lane({ seconds, targetDepth, hang }) {
    const context = new AudioContext({ sampleRate: 48_000 });
    await context.resume();
    const ring = ringOf(1, 32_768);
    const clock = AudioClock.allocate(ring, targetDepth);
    const control = new Int32Array(new SharedArrayBuffer(16));
    const scheduler = await createScheduler({
      ...(hang ? { hangMs: 100 } : {}),
      lanes: {
        audio: {
          tasks: new URL('./ramp.tasks.js', import.meta.url),
          periodic: { task: 'ramp', everyMs: 2.5 },
          deadlineMs: 2.5,
          onExpired: 'run',
          shared: { ring: ring.buffer, clock: clock.buffer, control: control.buffer },
        },
      },
    });
    const playback = await createPlaybackNode(context, ring, { clock });
    const recorded = ringOf(1, 2 ** 23);
    const capture = await createCaptureNode(context, recorded);
    playback.node.connect(capture.node);
    await until(() => playback.state() === 'flowing', 'sound');
    await sleep((seconds * 1000) / 2);
    const half = playback.ring.readItems();
    if (hang) {
      Atomics.store(control, HANG, 1);
      await until(() => playback.xruns().underruns > 0, 'an xrun');
      await until(() => playback.state() === 'flowing', 'sound again');
    }
    await sleep((seconds * 1000) / 2);
    const { underruns, missingItems } = playback.xruns();
    const state = playback.state();
    const heardAfter = playback.ring.readItems() - half;
    const { workers } = await scheduler.refresh();
    const deaths = workers.reduce((sum, worker) => sum + worker.deaths, 0);
    const { responseUs, misses } = scheduler.snapshot().lanes.audio;
    await scheduler.close();
    capture.close();
    await capture.ended;
    playback.close();
    const consumer = recorded.consumer();
    const samples = new Float32Array(consumer.readableSampleFrames());
    consumer.read(samples, 0, samples.length);
    await context.close();
    const { p50, p99, max } = responseUs;
    return {
      ...judge(samples),
      state,
      underruns,
      missingItems,
      heardAfter,
      deaths,
      misses,
      responseUs: { p50, p99, max },
    };
  },

  async through({ seconds }) {
    const context = new AudioContext({ sampleRate: 48_000 });
    await context.resume();
    const [source, taken, given, recorded] = [2 ** 22, 32_768, 32_768, 2 ** 22].map((capacity) => ringOf(2, capacity));
    const sourceFrames = Math.min(2 ** 22, Math.ceil(seconds * 48_000) + 48_000);
    const frames = Float32Array.from({ length: sourceFrames * 2 }, (_, i) => rampAt(i));
    const clock = AudioClock.allocate(given, 4096);
    const scheduler = await createScheduler({
      lanes: {
        audio: {
          tasks: new URL('./ramp.tasks.js', import.meta.url),
          periodic: { task: 'through', everyMs: 2.5 },
          shared: { from: taken.buffer, to: given.buffer },
        },
      },
    });
    const first = await createPlaybackNode(context, source);
    const capture = await createCaptureNode(context, taken);
    const second = await createPlaybackNode(context, given, { clock });
    const last = await createCaptureNode(context, recorded);
    second.node.connect(last.node);
    first.node.connect(capture.node);
    // a node plays before its connection is in the rendering graph: what it played then would be lost
    const connectedAt = context.currentTime;
    await until(() => context.currentTime > connectedAt + 0.05, 'the audio clock');
    source.producer().write(frames, 0, sourceFrames);
    await until(() => second.state() === 'flowing', 'sound');
    await sleep(seconds * 1000);
    await scheduler.close();
    last.close();
    await last.ended;
    const consumer = recorded.consumer();
    const samples = new Float32Array(consumer.readableSampleFrames() * 2);
    consumer.read(samples, 0, samples.length / 2);
    await context.close();
    return { ...judge(samples), overruns: capture.xruns().overruns };
  },

  async microphone({ seconds }) {
    const context = new AudioContext();
    await context.resume();
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const ring = ringOf(2, 2 ** 18);
    const capture = await createCaptureNode(context, ring);
    new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(capture.node);
    await sleep(seconds * 1000);
    const consumer = ring.consumer();
    const frames = consumer.readableSampleFrames();
    const samples = new Float32Array(frames * 2);
    consumer.read(samples, 0, frames);
    const overruns = capture.xruns().overruns;
    capture.close();
    await capture.ended;
    consumer.read(samples, 0, consumer.readableSampleFrames());
    for (const track of stream.getTracks()) track.stop();
    await context.close();
    return {
      frames,
      peak: samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0),
      overruns,
      ended: consumer.ended(),
    };
  },

  async errors() {
    const context = new OfflineAudioContext(1, 128, 48_000);
    const ring = ringOf(1, 1024);
    await createPlaybackNode(context, ring);
    const messageOf = (promise) =>
      promise.then(
        () => 'none',
        (error) => error.message,
      );
    return {
      notARing: await messageOf(createPlaybackNode(context, {})),
      bytes: await messageOf(createPlaybackNode(context, StreamRing.allocate({ kind: 'bytes', capacityBytes: 1024 }))),
      small: await messageOf(createPlaybackNode(context, ringOf(1, 128))),
      taken: await messageOf(createPlaybackNode(context, ring)),
      url: await messageOf(createPlaybackNode(context, ringOf(1, 1024), { workletUrl: '/nowhere.js' })),
      notAContext: await messageOf(createPlaybackNode(undefined, ringOf(1, 1024))),
      afterTakeOver: await messageOf(createPlaybackNode(context, ring, { takeOver: true })),
    };
  },
};
