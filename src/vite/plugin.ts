import { dirname, posix } from 'node:path';
import { changedTasks, type GraphModule, withoutQuery } from './changed-tasks.js';
import { RELOAD_EVENT, type ReloadMessage } from './message.js';
import { findTaskUrls } from './task-urls.js';

export interface FrameDeadlinePluginOptions {
  /**
   * Paths that are task modules wherever `new URL(path, import.meta.url)` stands. Those behind a property `tasks` are
   * always. Default: `*.tasks.js`, `*.tasks.ts` and their kin (`.mjs`, `.mts`, `.jsx`, `.tsx`).
   */
  include?: RegExp;
  /** Whether the development and the preview server send the two headers of cross-origin isolation. Default true. */
  headers?: boolean;
}

/** What Vite gives to hooks, as far as it is used: of Vite 6 and later. */
interface TransformContext {
  parse(code: string): unknown;
  resolve(specifier: string, importer?: string): Promise<{ readonly id: string } | null>;
  emitFile(chunk: { type: 'chunk'; id: string; name: string; preserveSignature: 'strict' }): string;
  error(message: string): never;
  readonly environment?: { readonly config: { readonly consumer?: string } };
}
interface HotContext {
  readonly environment: {
    readonly config: { readonly consumer?: string };
    readonly hot: { send(message: { type: 'custom'; event: string; data: ReloadMessage }): void };
  };
}

/** A plugin of Vite: give it to `plugins`. */
export interface FrameDeadlinePlugin {
  readonly name: string;
  config(): Record<string, unknown>;
  configResolved(config: { readonly command: string; readonly root: string; readonly base: string }): void;
  transform(this: TransformContext, code: string, id: string): Promise<{ code: string; map: null } | null>;
  hotUpdate(
    this: HotContext,
    update: { readonly modules: readonly unknown[]; readonly timestamp: number },
  ): never[] | undefined;
}

const DEFAULT_INCLUDE = /\.tasks\.[cm]?[jt]sx?(\?|$)/;
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * Vite plugin (6 and later). In a build each task module that a `new URL('./x.tasks.ts', import.meta.url)` names becomes
 * a bundled module of its own, compiled like any other; Vite alone would copy the file as it is. In development it tells
 * the page when a task module or something that it imports was saved (the event `frame-deadline:reload`, which
 * `reloadOnSave` of `frame-deadline/vite-client` answers by `scheduler.reload`), keeps the package out of the dependency
 * optimizer, which would tear its workers off, and sends the headers of cross-origin isolation.
 */
export function frameDeadline(options: FrameDeadlinePluginOptions = {}): FrameDeadlinePlugin {
  const include = options.include ?? DEFAULT_INCLUDE;
  const headers = options.headers === false ? {} : { headers: ISOLATION };
  /** Files that are task modules, as seen so far. */
  const taskFiles = new Set<string>();
  let isBuild = false;
  let root = '';
  let base = '/';
  const urlOf = (file: string): string =>
    file.startsWith(`${root}/`) ? `${base}${file.slice(root.length + 1)}` : posix.join(base, '/@fs/', file);
  return {
    name: 'frame-deadline',
    config: () => ({
      server: headers,
      preview: headers,
      // workers that import other modules
      worker: { format: 'es' },
      optimizeDeps: {
        exclude: ['frame-deadline'],
        // the CommonJS package within it still has to become a module
        include: ['frame-deadline > hdr-histogram-js'],
      },
    }),
    configResolved(config) {
      isBuild = config.command === 'build';
      root = config.root.replace(/\/$/, '');
      base = config.base.startsWith('/') ? config.base : '/';
    },
    async transform(code, id) {
      if (!code.includes('import.meta.url') || !/new\s+URL/.test(code)) return null;
      // on a server `import.meta.url` is a file's, which Node.js imports as it is
      if (this.environment?.config.consumer === 'server') return null;
      const importer = withoutQuery(id);
      let changed = code;
      for (const { start, end, specifier } of findTaskUrls(this.parse(code), include).reverse()) {
        const resolved = await this.resolve(specifier, importer);
        if (resolved === null) {
          this.error(`there is no task module ${specifier} beside ${importer}; expected a path relative to that file`);
        }
        const file = withoutQuery(resolved.id);
        taskFiles.add(file);
        let url: string | null = null;
        if (isBuild) {
          const name = posix.basename(file).replace(/\.[cm]?[jt]sx?$/, '');
          // its exports are what the workers look for
          const reference = this.emitFile({ type: 'chunk', id: resolved.id, name, preserveSignature: 'strict' });
          // with a base of its own Vite gives a path, else a whole URL
          url = `new URL(import.meta.ROLLUP_FILE_URL_${reference}, import.meta.url)`;
        } else if (posix.join(dirname(importer), specifier) !== file) {
          // './x.js' may stand for x.ts, which the worker's own request would not find
          url = `new URL(${JSON.stringify(urlOf(file))}, import.meta.url)`;
        }
        if (url !== null) changed = `${changed.slice(0, start)}${url}${changed.slice(end)}`;
      }
      return changed === code ? null : { code: changed, map: null };
    },
    hotUpdate({ modules, timestamp }) {
      const { config, hot } = this.environment;
      if (config.consumer === 'server') return undefined;
      const { urls, reachesPage } = changedTasks(modules as readonly GraphModule[], (file) => taskFiles.has(file));
      if (urls.length === 0) return undefined;
      const paths = urls.map((url) => posix.join(base, withoutQuery(url)));
      hot.send({ type: 'custom', event: RELOAD_EVENT, data: { modules: paths, timestamp } });
      return reachesPage ? undefined : [];
    },
  };
}
