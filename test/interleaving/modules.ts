import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { machine } from './machine.js';
import { compile, parse, steppedNames } from './transform.js';

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url));

/** The modules of these folders are rewritten so that roles can be switched inside them ... */
const STEPPED = /^(ring|telemetry|worker|scheduler)\//;
/** ... but for those that reach shared memory only as private to one thread, or not at all, or have no part in a model. */
const PLAIN = [
  'ring/stream-',
  'telemetry/buckets',
  'telemetry/error-ring',
  'telemetry/h',
  'telemetry/job-trace',
  'telemetry/miss-',
  'telemetry/outcomes',
  'telemetry/shared-histogram',
  'worker/task',
  'scheduler/display-pace',
  'scheduler/hang-watch',
  'scheduler/load-tasks',
  'scheduler/plan',
  'scheduler/snapshot',
];

function isStepped(file: string): boolean {
  return STEPPED.test(file) && !PLAIN.some((start) => file.startsWith(start));
}

/** A change of one module's source: `before` must occur exactly once. */
export interface Patch {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

/** Two statements in the other order. */
export const swap = (file: string, first: string, second: string): Patch[] => [
  { file, before: first + second, after: second + first },
];

const SMALL: readonly Patch[] = [
  // two frame slots instead of 32: the undertaker looks at each of them
  {
    file: 'memory/layout.ts',
    before: 'export const FRAME_SLOT_COUNT = 32;',
    after: 'export const FRAME_SLOT_COUNT = 2;',
  },
  // no timers: what they do is not gone through
  {
    file: 'scheduler/hung-workers.ts',
    before: 'setTimeout(() => this.writeOff(condemned), WRITE_OFF_MS)',
    after: 'null',
  },
];

const sources = new Map<string, string>();
const compiled = new Map<string, string>();
let names: Set<string> | null = null;

function sourceOf(file: string): string {
  let source = sources.get(file);
  if (source === undefined) {
    source = readFileSync(join(SOURCE, file), 'utf8');
    sources.set(file, source);
  }
  return source;
}

function allStepped(): string[] {
  const files = readdirSync(SOURCE, { recursive: true }) as string[];
  return files.filter((file) => file.endsWith('.ts') && isStepped(file)).sort();
}

function compiledOf(file: string, source: string): string {
  names ??= steppedNames(allStepped().map((stepped) => parse(stepped, sourceOf(stepped))));
  const key = `${file}\n${source}`;
  let code = compiled.get(key);
  if (code === undefined) {
    code = compile(file, source, isStepped(file) ? names : null, machine.sites);
    compiled.set(key, code);
  }
  return code;
}

/** The engine's modules, loaded afresh: the types are those of the sources, but stepped functions return generators (see `run`). */
export class Modules {
  private readonly loaded: Map<string, Record<string, unknown>>;
  private readonly patches: readonly Patch[];

  constructor(patches: readonly Patch[] = []) {
    this.patches = [...SMALL, ...patches];
    this.loaded = new Map();
  }

  /** `file` is relative to src/, with the ending `.js`. */
  load<M>(file: string): M {
    return this.require(file.replace(/\.js$/, '.ts')) as M;
  }

  private require(file: string): Record<string, unknown> {
    const known = this.loaded.get(file);
    if (known !== undefined) return known;
    let source = sourceOf(file);
    for (const patch of this.patches) {
      if (patch.file !== file) continue;
      if (source.split(patch.before).length !== 2) {
        throw new Error(`${file} does not contain exactly once: ${patch.before}`);
      }
      source = source.replace(patch.before, () => patch.after);
    }
    const exports: Record<string, unknown> = {};
    this.loaded.set(file, exports);
    const require = (specifier: string): unknown => {
      if (!specifier.startsWith('.')) throw new Error(`${file} imports ${specifier}, which cannot be stepped`);
      const target = normalize(join(dirname(file), specifier.replace(/\.js$/, '.ts')));
      return this.require(target);
    };
    const code = compiledOf(file, source);
    compileFunction(code, ['require', 'exports', '$'], { filename: `stepped:${file}` })(require, exports, machine);
    return exports;
  }
}
