import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;

/** The README's JavaScript, by file: a block goes on in the file that its first line names. */
function samples(): Map<string, string> {
  const files = new Map<string, string>();
  let file = '';
  for (const [, code = ''] of readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/```js\n(.*?)```/gs)) {
    file = /^\/\/ ([\w.]+\.m?js)\b/.exec(code)?.[1] ?? 'main.mjs';
    // what comes after it in the README goes before it in the file
    const soFar = (files.get(file) ?? '').replace('await scheduler.close();\n', '');
    files.set(file, soFar + code);
  }
  return files;
}

it('the samples compile in strict TypeScript as they stand, but for what `shared` holds', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'readme-'));
  const files = samples();
  expect([...files.keys()].sort()).toEqual(['audio.tasks.js', 'main.mjs', 'render.tasks.js', 'render.test.mjs']);
  const paths: string[] = [];
  for (const [name, code] of files) {
    const path = join(folder, name.replace(/js$/, 'ts'));
    writeFileSync(path, code.replace('shared.samples[', '(shared.samples as Float32Array)['));
    paths.push(path);
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  try {
    const program = ts.createProgram(paths, {
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules/@types')],
      paths: {
        'frame-deadline': [join(ROOT, 'dist/index.d.ts')],
        'frame-deadline/testing': [join(ROOT, 'dist/testing/index.d.ts')],
        'frame-deadline/*': [join(ROOT, 'dist/report/*.d.ts')],
      },
    });
    const faults = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
      const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
      return `${file?.fileName}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
    expect(faults).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
