import { StreamRing } from 'frame-deadline';
import { POINTER_BYTES } from './stage.js';

/**
 * Writes some elements' pointer events into a ring of records for the input lane, each with the stamp that the browser gave
 * it: also those that it had merged into one since the last frame (`getCoalescedEvents`).
 * @param {readonly HTMLElement[]} elements
 * @param {StreamRing<'records'>} ring
 */
export function recordPointer(elements, ring) {
  const producer = ring.producer();
  if (producer.recordBytes !== POINTER_BYTES) throw new RangeError(`records of ${POINTER_BYTES} bytes expected`);
  const { f64, f32, i32 } = producer.memory;

  /** @param {PointerEvent} event @param {DOMRect} box */
  const write = (event, box) => {
    const at = producer.beginWrite();
    if (at < 0) {
      producer.countOverrun();
      return;
    }
    f64[at >> 3] = event.timeStamp;
    f32[(at >> 2) + 2] = (event.clientX - box.x) / box.width;
    f32[(at >> 2) + 3] = (event.clientY - box.y) / box.height;
    f32[(at >> 2) + 4] = event.pressure;
    i32[(at >> 2) + 5] = event.buttons;
    producer.commitWrite();
  };
  /** @param {PointerEvent} event */
  const onPointer = (event) => {
    const box = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
    const merged = event.getCoalescedEvents?.() ?? [];
    // an event that nobody moved, a press, has none
    if (merged.length === 0) write(event, box);
    for (const one of merged) write(one, box);
  };
  // comes as soon as the device tells, not once a frame, where the browser has it
  const move = 'onpointerrawupdate' in globalThis ? 'pointerrawupdate' : 'pointermove';
  for (const element of elements) {
    for (const name of [move, 'pointerdown', 'pointerup']) {
      element.addEventListener(name, /** @type {(event: Event) => void} */ (onPointer));
    }
  }
}
