import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

// A folder imports only from folders above it in this list. What stands at the top of src/ are entry points.
const LAYERS = [
  'base',
  'memory',
  'ring',
  'telemetry',
  'worker',
  'host',
  'scheduler',
  'report',
  'testing',
  'web-audio',
  'vite',
  'cli',
];
/** Runs in every JavaScript thread, an AudioWorklet included for `ring`: no platform module, no DOM type. */
const PLATFORM_FREE = ['base', 'memory', 'ring', 'telemetry', 'worker'];
const SRC = new URL('../../src/', import.meta.url).pathname;

interface Import {
  file: string;
  from: string;
}

function sourceFiles(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => join(SRC, name));
}

function importsOf(file: string): Import[] {
  const source = readFileSync(file, 'utf8');
  return [...source.matchAll(/(?:^|\n)\s*(?:import|export)[^;'"]*?from\s*'([^']+)'|import\('([^']+)'\)/g)].map(
    (match) => ({
      file,
      from: match[1] ?? match[2] ?? '',
    }),
  );
}

const layerOf = (path: string): string => relative(SRC, path).split(sep)[0]!;

describe('layers', () => {
  const imports = sourceFiles().flatMap(importsOf);

  it('reads the imports at all', () => {
    expect(imports.length).toBeGreaterThan(100);
  });

  it('has every folder in the list', () => {
    const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map((folder) => folder.name).filter((name) => !LAYERS.includes(name))).toEqual([]);
  });

  it('imports only from layers above', () => {
    const wrong = imports.filter(({ file, from }) => {
      if (!from.startsWith('.')) return false;
      const own = LAYERS.indexOf(layerOf(file));
      const other = LAYERS.indexOf(layerOf(join(file, '..', from)));
      // the command line is an app: it uses the package through its entry point
      if (own === -1 || layerOf(file) === 'cli') return false;
      return other === -1 || other > own;
    });
    expect(wrong).toEqual([]);
  });

  it('keeps platform modules out of the core', () => {
    const wrong = imports.filter(({ file, from }) => {
      if (!PLATFORM_FREE.includes(layerOf(file))) return false;
      if (from.startsWith('.')) return false;
      // the readers of histograms load it, on demand
      return !(from === 'hdr-histogram-js' && file.endsWith('telemetry/hdr-histogram.ts'));
    });
    expect(wrong).toEqual([]);
  });

  it('uses no eval', () => {
    const wrong = sourceFiles().filter((file) => /\beval\(|new Function\(/.test(readFileSync(file, 'utf8')));
    expect(wrong).toEqual([]);
  });

  it('reads the clock in one place', () => {
    const wrong = sourceFiles().filter(
      (file) =>
        PLATFORM_FREE.includes(layerOf(file)) &&
        !file.endsWith('base/time.ts') &&
        /performance\.now|Date\.now/.test(readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')),
    );
    expect(wrong).toEqual([]);
  });
});
