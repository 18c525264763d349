/** The custom event of Vite's hot module replacement that tells of changed task modules. */
export const RELOAD_EVENT = 'frame-deadline:reload';

/** What comes with it. */
export interface ReloadMessage {
  /** Paths of the changed task modules on the development server, its base included: `/src/render.tasks.ts`. */
  readonly modules: readonly string[];
  /** When, in milliseconds since 1970. */
  readonly timestamp: number;
}
