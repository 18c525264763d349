import { AudioClock, StreamRing } from 'frame-deadline';
import { createPlaybackNode } from 'frame-deadline/web-audio';
import { SAMPLE_RATE_HZ, SOUND } from './stage.js';

/** What plays the ring of the audio lane. There is no device before the first `turnOn`, which a click must call. */
export class Sound {
  /** @param {import('./stage.js').Stage} stage */
  constructor(stage) {
    this.words = new Int32Array(stage.words);
    this.ring = StreamRing.attach(stage.sound, 'f32');
    this.clock = AudioClock.attach(stage.clock);
    /** @type {{ context: AudioContext, gain: GainNode, playback: import('frame-deadline/web-audio').Playback } | null} */
    this.device = null;
    this.volume = 0.6;
  }

  get isOn() {
    return Atomics.load(this.words, SOUND) === 1;
  }

  async turnOn() {
    this.device ??= await this.open();
    const { context } = this.device;
    await context.resume();
    Atomics.store(this.words, SOUND, 1);
  }

  async turnOff() {
    Atomics.store(this.words, SOUND, 0);
    await this.device?.context.suspend();
  }

  /** @param {number} volume 0 to 1 */
  setVolume(volume) {
    this.volume = volume;
    const { device } = this;
    // loudness is heard by ratios
    if (device !== null) device.gain.gain.setTargetAtTime(volume ** 2, device.context.currentTime, 0.02);
  }

  /** @param {number} sampleFrames */
  setDepth(sampleFrames) {
    this.clock.setTargetDepthSampleFrames(sampleFrames);
  }

  /** How often the device found nothing, and for how long together; null before there was a device. */
  xruns() {
    if (this.device === null) return null;
    const { underruns, missingItems } = this.ring.counts();
    return { count: underruns, silentMs: (missingItems / SAMPLE_RATE_HZ) * 1000 };
  }

  /** From the lane to the ear; null while there is no sound. */
  latencyMs() {
    return this.isOn && this.device !== null ? this.device.playback.latencySeconds() * 1000 : null;
  }

  async open() {
    const context = new AudioContext({ sampleRate: SAMPLE_RATE_HZ, latencyHint: 'interactive' });
    const gain = new GainNode(context, { gain: this.volume ** 2 });
    const playback = await createPlaybackNode(context, this.ring, {
      clock: this.clock,
      workletUrl: new URL('./worklet.js', import.meta.url),
    });
    playback.node.connect(gain).connect(context.destination);
    return { context, gain, playback };
  }
}
