import { AudioClock, createScheduler, StreamRing } from 'frame-deadline';
import { createPlaybackNode } from 'frame-deadline/web-audio';

/** Words that the page and the lane share. Bit 0 of the key: down. */
const KEY = 0;
const ANSWERED_KEY = 1;
const ANSWERED_AT = 2;
const STALL_MS = 3;

/** @type {(id: string) => any} */
const element = (id) => document.getElementById(id);

/** @param {number} depth sample frames */
async function start(depth) {
  const context = new AudioContext({ latencyHint: 'interactive' });
  const ring = StreamRing.allocate({ kind: 'f32', channels: 1, capacitySampleFrames: 16_384 });
  const clock = AudioClock.allocate(ring, depth);
  const control = new Int32Array(new SharedArrayBuffer(16));
  const { sampleRate } = context;
  const scheduler = await createScheduler({
    lanes: {
      audio: {
        tasks: new URL('./audio.tasks.js', import.meta.url),
        load: () => import('./audio.tasks.js'),
        periodic: { task: 'block', everyMs: 2.5 },
        deadlineMs: 2.5,
        onExpired: 'run',
        shared: { ring: ring.buffer, clock: clock.buffer, control: control.buffer, sampleRate },
      },
    },
  });
  const playback = await createPlaybackNode(context, ring, { clock });
  playback.node.connect(context.destination);
  await context.resume();
  return { context, scheduler, playback, control };
}

element('start').addEventListener('click', async () => {
  element('start').disabled = true;
  try {
    const { context, scheduler, playback, control } = await start(element('depth').valueAsNumber);
    for (const id of ['key', 'stall', 'depth']) element(id).disabled = false;
    const depthText = () => {
      const ms = (playback.clock.targetDepthSampleFrames() / context.sampleRate) * 1000;
      element('depthValue').value = `${playback.clock.targetDepthSampleFrames()} sample frames, ${ms.toFixed(1)} ms`;
    };
    depthText();
    element('depth').addEventListener('input', () => {
      playback.setTargetDepthSampleFrames(element('depth').valueAsNumber);
      depthText();
    });
    element('stall').addEventListener('click', () => Atomics.store(control, STALL_MS, 200));

    let pressedMs = 0;
    let waitingFor = -1;
    /** @param {Event} event @param {boolean} down */
    const press = (event, down) => {
      const key = Atomics.load(control, KEY);
      if ((key & 1) === Number(down)) return;
      Atomics.store(control, KEY, key + 1);
      if (!down) return;
      pressedMs = event.timeStamp;
      waitingFor = key + 1;
    };
    const key = element('key');
    key.addEventListener('pointerdown', (/** @type {PointerEvent} */ event) => press(event, true));
    for (const up of ['pointerup', 'pointercancel', 'pointerleave', 'blur', 'keyup']) {
      key.addEventListener(up, (/** @type {Event} */ event) => press(event, false));
    }
    key.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      if (event.code === 'Space' || event.code === 'Enter') press(event, true);
    });

    const show = () => {
      if (waitingFor >= 0 && Atomics.load(control, ANSWERED_KEY) >= waitingFor) {
        const soundMs = playback.soundTimeMs(Atomics.load(control, ANSWERED_AT));
        if (soundMs !== null) element('latency').textContent = `${(soundMs - pressedMs).toFixed(1)} ms`;
        waitingFor = -1;
      }
      const { underruns, missingItems } = playback.xruns();
      element('path').textContent = `${(playback.latencySeconds() * 1000).toFixed(1)} ms`;
      element('xruns').textContent =
        `${underruns}, ${((missingItems / context.sampleRate) * 1000).toFixed(1)} ms silent`;
      const { responseUs, misses } = scheduler.snapshot().lanes.audio;
      element('lane').textContent = `${responseUs.p99} µs, ${misses} misses`;
    };
    setInterval(show, 200);
  } catch (error) {
    element('message').textContent = error instanceof Error ? error.message : String(error);
    element('start').disabled = false;
  }
});
