import { durationText } from './words.js';

/** @typedef {import('frame-deadline').FrameRecord} FrameRecord */

const MOST_FRAMES = 240;
const LABEL_EVERY_MS = 5000;

/** The last frames as bars, newest on the right, with the deadline as a dashed line. */
export class FramePlot {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    const brush = canvas.getContext('2d');
    if (brush === null) throw new Error('this browser has no 2D canvas');
    this.canvas = canvas;
    this.brush = brush;
    /** @type {FrameRecord[]} */
    this.frames = [];
    this.labelledMs = -LABEL_EVERY_MS;
  }

  /** @param {readonly FrameRecord[]} frames those since the last call */
  add(frames) {
    for (const frame of frames) this.frames.push(frame);
    if (this.frames.length > MOST_FRAMES) this.frames.splice(0, this.frames.length - MOST_FRAMES);
  }

  /** Frames a second, of the last second or so; null without any. */
  framesPerSecond() {
    const called = this.frames.filter(({ calledAtUs }) => calledAtUs !== null).slice(-60);
    const first = called[0]?.tickAtUs;
    const last = called.at(-1)?.tickAtUs;
    return first === undefined || last === undefined || last <= first
      ? null
      : ((called.length - 1) * 1e6) / (last - first);
  }

  draw() {
    const { canvas, brush, frames } = this;
    const ratio = globalThis.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const style = getComputedStyle(canvas);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name);
    brush.setTransform(ratio, 0, 0, ratio, 0, 0);
    brush.clearRect(0, 0, width, height);
    const deadlineUs =
      frames.reduce((most, { deadlineAtUs, tickAtUs }) => Math.max(most, deadlineAtUs - tickAtUs), 0) || 16_000;
    const topUs = deadlineUs * 2;
    const step = width / MOST_FRAMES;
    const bar = Math.max(1, step - (step > 3 ? 1 : 0.25));
    let x = width - frames.length * step;
    for (const frame of frames) {
      const us = takenUs(frame);
      const isLate = frame.outcome !== 'onTime';
      brush.fillStyle = isLate ? colour('--missed') : colour('--bar');
      brush.globalAlpha = us === null ? 0.28 : 1;
      const tall = us === null ? height : Math.max(1.5, (Math.min(us, topUs) / topUs) * height);
      brush.fillRect(x, height - tall, bar, tall);
      // told apart without colour: what is late has a notch, and so has what is higher than the plot
      if (isLate && us !== null) brush.clearRect(x, height - tall + 4, bar, 2);
      x += step;
    }
    brush.globalAlpha = 1;
    const y = Math.round(height - (deadlineUs / topUs) * height) + 0.5;
    brush.strokeStyle = colour('--ink');
    brush.setLineDash([5, 4]);
    brush.beginPath();
    brush.moveTo(0, y);
    brush.lineTo(width, y);
    brush.stroke();
    brush.setLineDash([]);
    brush.font = '12px system-ui, sans-serif';
    const text = durationText(deadlineUs);
    brush.fillStyle = colour('--panel');
    brush.globalAlpha = 0.85;
    brush.fillRect(0, y - 18, brush.measureText(text).width + 6, 16);
    brush.globalAlpha = 1;
    brush.fillStyle = colour('--ink');
    brush.fillText(text, 2, y - 6);
    this.label(deadlineUs);
  }

  /** For those who do not see it: now and then, for it is read out when it changes. @param {number} deadlineUs */
  label(deadlineUs) {
    const nowMs = performance.now();
    if (nowMs - this.labelledMs < LABEL_EVERY_MS) return;
    this.labelledMs = nowMs;
    const { frames } = this;
    const late = frames.filter(({ outcome }) => outcome === 'late').length;
    const dropped = frames.filter(({ outcome }) => outcome === 'dropped').length;
    const longest = frames.reduce((most, frame) => Math.max(most, takenUs(frame) ?? 0), 0);
    this.canvas.setAttribute(
      'aria-label',
      `Frame times: of the last ${frames.length} frames ${late} late, ${dropped} without a frame; the longest took ${durationText(longest)}, the deadline is ${durationText(deadlineUs)}`,
    );
  }
}

/** From the tick to the last finish; null where there was no frame. @param {FrameRecord} frame */
function takenUs({ tickAtUs, finishedAtUs, submittedAtUs, outcome }) {
  if (outcome === 'dropped') return null;
  return Math.max(0, (finishedAtUs ?? submittedAtUs ?? tickAtUs) - tickAtUs);
}
