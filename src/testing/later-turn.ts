/**
 * Calls back in a later turn of the event loop, after all promise callbacks that can run. Not a timer: a test runner's
 * own timers may stand in for those, and browsers clamp them to 4 ms.
 */
export const laterTurn: (callback: () => void) => void =
  typeof setImmediate === 'function' ? setImmediate : messageTurns();

/** For browsers: one message is one turn. */
function messageTurns(): (callback: () => void) => void {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return (callback) => {
    waiting.push(callback);
    port2.postMessage(null);
  };
}
