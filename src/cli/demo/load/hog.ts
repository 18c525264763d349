/** A CPU hog: burns one CPU until its standard input closes, which it does when whoever started it dies, however. */
import { SystemClock } from '../../../base/time.js';

const BURN_MS = 20;
const clock = new SystemClock(0);

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
process.stdin.on('error', () => process.exit(0));

function burn(): void {
  const untilUs = clock.nowPreciseUs() + BURN_MS * 1000;
  while (clock.nowPreciseUs() < untilUs);
  setImmediate(burn);
}
burn();
