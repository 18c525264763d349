// Type-checked only: the plugin and its client fit Vite's own types.
import type { Plugin, UserConfig } from 'vite';
import type { ViteHotContext } from 'vite/types/hot.js';
import type { Scheduler } from '../../src/index.js';
import { reloadOnSave } from '../../src/vite/client.js';
import { frameDeadline } from '../../src/vite/index.js';

export const plugin: Plugin = frameDeadline();
export const config: UserConfig = { plugins: [frameDeadline({ headers: false })] };

declare const scheduler: Scheduler<{ render: unknown; sound: unknown }>;
declare const hot: ViteHotContext | undefined;
export const end: () => void = reloadOnSave(scheduler, hot, {
  onReload: (result) => console.log(result.workers.length, result.switchMs),
  onError: (error, lane) => console.log(lane, error.message),
});
