import { RELOAD_EVENT, type ReloadMessage } from './message.js';

export { RELOAD_EVENT, type ReloadMessage } from './message.js';

/** `import.meta.hot` of Vite, as far as it is used. */
export interface HotContext {
  on(event: string, callback: (message: ReloadMessage) => void): void;
  off?(event: string, callback: (message: ReloadMessage) => void): void;
}

/** A scheduler, as far as it is used. */
export interface ReloadableScheduler {
  describe(): { readonly lanes: readonly { readonly name: string; readonly module: string | null }[] };
  reload(lane: never): Promise<{ readonly lanes: readonly string[] }>;
}

export interface ReloadOnSaveOptions<Result> {
  /** Told of each reload. Default: a line on the console. */
  onReload?: (result: Result) => void;
  /** Told why a reload was refused; the old code runs on. Default: an error on the console. */
  onError?: (error: Error, lane: string) => void;
}

/**
 * Reloads the lanes whose task modules were saved, as the plugin `frame-deadline/vite` tells: `reloadOnSave(scheduler,
 * import.meta.hot)`. Does nothing in a build, where there is no `import.meta.hot`. Returns a function that ends it.
 */
export function reloadOnSave<S extends ReloadableScheduler>(
  scheduler: S,
  hot: HotContext | undefined,
  options: ReloadOnSaveOptions<Awaited<ReturnType<S['reload']>>> = {},
): () => void {
  if (hot === undefined) return () => {};
  const { onReload = tell, onError = complain } = options;
  const onMessage = async ({ modules }: ReloadMessage): Promise<void> => {
    const lanes = scheduler
      .describe()
      .lanes.filter(({ module }) => module !== null && modules.includes(pathOf(module)));
    const reloaded = new Set<string>();
    for (const { name } of lanes) {
      // workers that serve several lanes load them together
      if (reloaded.has(name)) continue;
      try {
        const result = (await scheduler.reload(name as never)) as Awaited<ReturnType<S['reload']>>;
        for (const lane of result.lanes) reloaded.add(lane);
        onReload(result);
      } catch (error) {
        onError(error as Error, name);
      }
    }
  };
  const listener = (message: ReloadMessage): void => void onMessage(message);
  hot.on(RELOAD_EVENT, listener);
  return () => hot.off?.(RELOAD_EVENT, listener);
}

function pathOf(url: string): string {
  return decodeURI(new URL(url).pathname);
}

function tell({ lanes }: { readonly lanes: readonly string[] }): void {
  console.info(`frame-deadline: reloaded ${lanes.join(', ')}`);
}

function complain(error: Error, lane: string): void {
  console.error(`frame-deadline: ${lane} was not reloaded, the old code runs on: ${error.message}`);
}
