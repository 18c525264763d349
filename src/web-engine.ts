import { describeValue, FrameDeadlineError } from './base/errors.js';
import { webPlatform } from './host/web/platform.js';
import { createSchedulerOn } from './scheduler/create.js';
import type { Scheduler } from './scheduler/scheduler.js';
import type { WebSchedulerOptions } from './web.js';

/** What the supervisor's thread is told when it starts. */
export interface SupervisorThreadSetup {
  /** null: the module beside the supervisor's own. */
  readonly workerUrl: string | null;
}

/** See `createScheduler` of `web.ts`, which loads this module on its first call. */
export async function createWebScheduler<Lanes extends { [K in keyof Lanes]: unknown }>(
  options: WebSchedulerOptions<Lanes>,
): Promise<Scheduler<Lanes>> {
  const { workerUrl, supervisorUrl, ...others } = options ?? {};
  const supervisorHref = absolute('supervisorUrl', supervisorUrl);
  const setup: SupervisorThreadSetup = { workerUrl: absolute('workerUrl', workerUrl) };
  const startSupervisor = (name: string): Worker =>
    supervisorHref === null
      ? new Worker(new URL('./web-supervisor.js', import.meta.url), { type: 'module', name })
      : new Worker(supervisorHref, { type: 'module', name });
  return createSchedulerOn(webPlatform(startSupervisor, setup), others);
}

function absolute(what: string, url: URL | string | undefined): string | null {
  if (url === undefined) return null;
  try {
    if (url instanceof URL || (typeof url === 'string' && url !== '')) return new URL(url, location.href).href;
  } catch {
    // said below
  }
  throw new FrameDeadlineError(
    'OPTION_INVALID',
    `${what} is ${describeValue(url)}, expected the address of a module, as a URL or text`,
  );
}
