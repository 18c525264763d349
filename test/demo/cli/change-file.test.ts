import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PARAMETERS } from '../../../src/cli/demo/audio/parameters.js';
import { type ChangeFile, formatChanges, readChanges } from '../../../src/cli/demo/change-file.js';
import { ChangeLogWriter, changeLogBytes, readChangeLog } from '../../../src/cli/demo/stage/change-log.js';
import { StageControl } from '../../../src/cli/demo/stage/control.js';
import { scratchDirectory } from './run-cli.js';

const directory = scratchDirectory();
const change = fc.record({
  block: fc.nat(0x7fff_ffff),
  parameter: fc.nat(PARAMETERS.length - 1),
  value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
});
const header = {
  type: 'run',
  schemaVersion: 1,
  audio: null,
  seconds: 1,
  sampleRateHz: 48_000,
  channels: 2,
  blocks: 375,
  xruns: 0,
} as const;

describe('the change log', () => {
  it('comes back from shared memory as it was written', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const control = new StageControl();
        const buffer = new SharedArrayBuffer(changeLogBytes(20));
        const writer = new ChangeLogWriter(buffer, control);
        for (const { block, parameter, value } of changes) writer.append(block, parameter, value);
        expect(readChangeLog(buffer, control)).toEqual(changes);
      }),
    );
  });

  it('comes back from a file with every bit', () => {
    const path = join(directory, 'changes.jsonl');
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const file: ChangeFile = { header, changes };
        writeFileSync(path, formatChanges(file));
        expect(readChanges(path)).toEqual(file);
      }),
      { numRuns: 50 },
    );
  });

  it('is null where there is none', () => {
    expect(readChanges(join(directory, 'none.jsonl'))).toBeNull();
  });

  it.each([
    ['', 1],
    ['{"type":"other"}', 1],
    [`${JSON.stringify(header)}\n[`, 2],
    [`${JSON.stringify(header)}\n{"block":0,"parameter":"input.gain","value":0}\n7`, 3],
    [`${JSON.stringify(header)}\n{"block":-1,"parameter":"input.gain","value":0}`, 2],
    [`${JSON.stringify(header)}\n{"block":1,"parameter":"input.gain","value":"0"}`, 2],
  ])('names the broken line of %j', (text, line) => {
    const path = join(directory, 'broken.jsonl');
    writeFileSync(path, text);
    expect(() => readChanges(path)).toThrow(expect.objectContaining({ code: 'EVENTS_INVALID' }));
    expect(() => readChanges(path)).toThrow(`line ${line}:`);
  });
});
