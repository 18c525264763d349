import { watchMachine } from './machine.js';
import { overhead } from './overhead.js';

// One bench in a process of its own, so that none runs code that another has shaped (V8's type feedback, the heap).
const [, , url, quick] = process.argv;
const bench = await import(url);
const watch = watchMachine();
const { helpersCpuMs, ...result } = await bench.run({ quick: quick === 'true' });
process.send({ result, state: watch.stop(helpersCpuMs), overhead: overhead(3) }, () => process.exit(0));
