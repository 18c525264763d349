/** A CPU hog: burns one CPU until its standard input closes, which it does when whoever started it dies, however. */
const BURN_MS = 20;

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
process.stdin.on('error', () => process.exit(0));

function burn(): void {
  const untilMs = performance.now() + BURN_MS;
  while (performance.now() < untilMs);
  setImmediate(burn);
}
burn();
