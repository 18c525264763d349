import { StreamRing } from 'frame-deadline';
import { encodeEvent } from '../../../dist/cli/demo/events/record.js';

const ARROW_STEP = 0.04;
/** Keys that play: see the event mapper of the terminal's demo. */
const PLAYED = 'asdfghjklqwertyuiop';

/** Writes pointer and key events into the ring of the input lane, each with the stamp that the browser gave it. */
export class EventSource {
  /** @param {HTMLElement} element @param {import('./stage.js').Stage} stage */
  constructor(element, stage) {
    this.producer = StreamRing.attach(stage.events, 'records').producer();
    this.element = element;
    this.x = 0.5;
    this.y = 0.5;
    // comes as soon as the device tells, not once a frame, where the browser has it
    const move = 'onpointerrawupdate' in element ? 'pointerrawupdate' : 'pointermove';
    for (const name of [move, 'pointerdown', 'pointerup']) {
      element.addEventListener(name, (event) => this.pointer(/** @type {PointerEvent} */ (event)));
    }
    element.addEventListener('keydown', (event) => this.arrow(event));
  }

  /** @param {string} key */
  static plays(key) {
    return key.length === 1 && PLAYED.includes(key.toLowerCase());
  }

  /** @param {KeyboardEvent} event @param {boolean} down */
  key(event, down) {
    if (event.repeat) return;
    this.write(event, { type: 'key', key: event.key.toLowerCase(), down });
  }

  /** @param {PointerEvent} event */
  pointer(event) {
    const box = this.element.getBoundingClientRect();
    const merged = event.getCoalescedEvents?.() ?? [];
    // an event that nobody moved, a press, has none
    for (const one of merged.length === 0 ? [event] : merged) {
      this.x = unit((one.clientX - box.x) / box.width);
      this.y = unit((one.clientY - box.y) / box.height);
      this.write(one, { type: 'pointer', x: this.x, y: this.y, buttons: one.buttons });
    }
  }

  /** @param {KeyboardEvent} event */
  arrow(event) {
    const dx = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    const dy = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    if (dx === 0 && dy === 0) return;
    event.preventDefault();
    this.x = unit(this.x + dx * ARROW_STEP);
    this.y = unit(this.y + dy * ARROW_STEP);
    this.write(event, { type: 'pointer', x: this.x, y: this.y, buttons: 1 });
  }

  /**
   * @param {Event} event
   * @param {{ type: 'pointer', x: number, y: number, buttons: number } | { type: 'key', key: string, down: boolean }} what
   */
  write(event, what) {
    const { producer } = this;
    const at = producer.beginWrite();
    if (at < 0) {
      producer.countOverrun();
      return;
    }
    const timeUs = Math.round(event.timeStamp * 1000);
    encodeEvent(producer.memory.i32, producer.memory.f32, at >> 2, { timeUs, ...what });
    producer.commitWrite();
  }
}

/** @param {number} value */
function unit(value) {
  return Math.min(1, Math.max(0, value));
}
