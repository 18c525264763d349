/** A module of Vite's graph, as far as it is looked at. */
export interface GraphModule {
  readonly id: string | null;
  readonly url: string;
  readonly importers: ReadonlySet<GraphModule>;
}

export interface ChangedTasks {
  /** URLs of the task modules that are changed themselves or import what is changed. */
  readonly urls: readonly string[];
  /** Whether the change also reaches the page by a way that leads through no task module. */
  readonly reachesPage: boolean;
}

/** Which task modules a change of `modules` reaches. `isTaskModule`: by the module's id without its query. */
export function changedTasks(modules: readonly GraphModule[], isTaskModule: (file: string) => boolean): ChangedTasks {
  const urls = new Set<string>();
  const seen = new Set<GraphModule>();
  let reachesPage = false;
  const climb = (module: GraphModule): void => {
    if (seen.has(module)) return;
    seen.add(module);
    if (module.id !== null && isTaskModule(withoutQuery(module.id))) {
      // who imports it besides the workers does so for its types or for inline mode
      urls.add(module.url);
      return;
    }
    if (module.importers.size === 0) reachesPage = true;
    for (const importer of module.importers) climb(importer);
  };
  for (const module of modules) climb(module);
  return { urls: [...urls], reachesPage };
}

export function withoutQuery(id: string): string {
  return id.replace(/[?#].*$/, '');
}
