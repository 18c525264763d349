import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// What V8 tells of inline caches and deoptimisations, in one file per thread (`--log-ic --log-deopt`). The lines are
// those that V8's own tools/system-analyzer reads; they are the same from Node 20 to 24.

/** A place in the package's code: `worker/worker-core.js:settle`. */
export interface LoggedSite {
  readonly place: string;
  readonly detail: string;
  /** Since the thread's start. */
  readonly atUs: number;
}

export interface V8Log {
  /** Sites that became megamorphic. */
  readonly megamorphic: readonly LoggedSite[];
  /** Code that was thrown away because an assumption of it did not hold. */
  readonly deoptimised: readonly LoggedSite[];
  /** Inline caches of the package's code that were seen at all, and functions that were compiled: shows that the log is one. */
  readonly transitions: number;
  readonly functions: ReadonlySet<string>;
  readonly threads: number;
}

/** A folder for the logs of one run, and the options of Node that write them there. */
export function logFolder(): { readonly options: readonly string[]; read(root: string): V8Log; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-v8-'));
  return {
    options: ['--log-ic', '--log-deopt', `--logfile=${join(folder, 'v8.log')}`, '--logfile-per-isolate'],
    read: (root) => readLogs(folder, root),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

interface Code {
  start: number;
  readonly size: number;
  readonly name: string;
}

function readLogs(folder: string, root: string): V8Log {
  const megamorphic: LoggedSite[] = [];
  const deoptimised: LoggedSite[] = [];
  const functions = new Set<string>();
  const files = readdirSync(folder);
  let transitions = 0;
  for (const file of files) {
    const codes = new Map<number, Code>();
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      const comma = line.indexOf(',');
      const kind = line.slice(0, comma);
      if (kind === 'code-creation') {
        const code = codeOf(line.split(','), root);
        codes.set(code.start, code);
        if (code.name !== '') functions.add(code.name);
      } else if (kind === 'code-move') {
        const [, from, to] = line.split(',').map(Number) as [number, number, number];
        const code = codes.get(from);
        if (code === undefined) continue;
        codes.delete(from);
        codes.set(to, { ...code, start: to });
      } else if (kind === 'code-deopt') {
        const site = deoptOf(line, root);
        if (site !== null) deoptimised.push(site);
      } else if (/^(Keyed)?(Load|Store)(Global)?IC$/.test(kind)) {
        const [, address, atUs, , , , newState, , key] = line.split(',');
        transitions++;
        if (newState !== 'N') continue;
        const place = placeOf(codes, Number(address));
        if (place !== '') megamorphic.push({ place, detail: `${kind} of ${key}`, atUs: Number(atUs) });
      }
    }
  }
  return { megamorphic, deoptimised, transitions, functions, threads: files.length };
}

/** `code-creation,JS,tier,time,address,size,name file:line:column,...` */
function codeOf(fields: readonly string[], root: string): Code {
  const [, , , , address, size, named = ''] = fields;
  const at = named.lastIndexOf(` ${root}`);
  const file = at < 0 ? '' : named.slice(at + 1 + root.length).replace(/:\d+:\d+$/, '');
  return { start: Number(address), size: Number(size), name: at < 0 ? '' : `${file}:${named.slice(0, at).trim()}` };
}

function placeOf(codes: ReadonlyMap<number, Code>, address: number): string {
  for (const { start, size, name } of codes.values()) if (address >= start && address < start + size) return name;
  return '';
}

/** `code-deopt,time,size,code,inlining,offset,kind,<file:line:column> inlined at <...>,reason` */
function deoptOf(line: string, root: string): LoggedSite | null {
  const [, atUs, , , , , kind = '', position = '', ...reason] = line.split(',');
  const [, file, at] = /^<(.*?):(\d+:\d+)>/.exec(position) ?? [];
  if (file === undefined || !file.startsWith(root)) return null;
  return { place: `${file.slice(root.length)}:${at}`, detail: `${kind}, ${reason.join(',')}`, atUs: Number(atUs) };
}
