import { task, u32 } from 'frame-deadline';

console.log('printed at import');

export const print = task({
  input: { number: u32 },
  run(input) {
    console.log('log %d', input.number);
    console.error('error', input.number);
    process.stdout.write(`write ${input.number}\n`);
    process.stderr.write(`stderr ${input.number}\n`);
    console.log({ umlaut: 'äöü', nested: [1, 2, 3] });
  },
});

export const flood = task({
  input: { megabytes: u32 },
  run(input) {
    const line = `${'x'.repeat(1023)}\n`;
    for (let i = 0; i < input.megabytes; i++) process.stdout.write(line.repeat(1024));
  },
});
