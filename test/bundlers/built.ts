import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { gzipSync } from 'node:zlib';

/** The scripts of a built app, by their paths in its folder. */
export class Built {
  private readonly scripts: Map<string, string>;

  constructor(folder: string) {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
    this.scripts = new Map(
      names.filter((name) => name.endsWith('.js')).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
    );
  }

  /** What the scripts have of a pattern. */
  all(pattern: RegExp): string[] {
    return [...this.scripts.values()].flatMap((code) => code.match(pattern) ?? []);
  }

  /** A script and what it imports, what those import, and so on; not what comes by `import()`. */
  withImports(name: string): string[] {
    const seen = new Set<string>();
    const visit = (at: string): void => {
      const code = this.scripts.get(at);
      if (code === undefined || seen.has(at)) return;
      seen.add(at);
      for (const [, address] of code.matchAll(/(?:\bfrom|\bimport) ?["'](\.[^"']+)["']/g)) {
        visit(posix.join(posix.dirname(at), address!));
      }
    };
    visit(name);
    return [...seen];
  }

  /** The scripts in which a text stands. */
  having(text: string): string[] {
    return [...this.scripts].filter(([, code]) => code.includes(text)).map(([name]) => name);
  }

  gzippedBytes(names: readonly string[]): number {
    return names.reduce((sum, name) => sum + gzipSync(this.scripts.get(name)!).length, 0);
  }
}
