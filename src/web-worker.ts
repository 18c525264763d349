import { FrameDeadlineError } from './base/errors.js';
import type { ThreadReport } from './host/thread-control.js';
import { clockSince } from './host/web/clock.js';
import { endThread, serveCalls } from './host/web/serve-calls.js';
import { refusedReport } from './host/web/thread-report.js';
import { soon, WebTimer } from './host/web/timer.js';
import { waitAsync } from './host/web/wait-async.js';
import type { AttachRequest, WorkerApi } from './scheduler/protocol.js';
import { WorkerService } from './scheduler/worker-service.js';
import { NoProbe } from './worker/thread-probe.js';
import { measureWakeupFloorUs } from './worker/wakeup-floor.js';

// Entry of a worker thread in a browser: imports the task modules, then serves its lanes until it is told to stop.

const service = new WorkerService(async ({ laneName, url }, error) => {
  if (url.startsWith('data:')) {
    throw new FrameDeadlineError(
      'TASK_MODULE_FAILED',
      `lane ${laneName}: its task module is a data: URL: the bundler took the file for an asset, as it is; it has to be bundled as a module of its own, see docs/bundlers.md`,
    );
  }
  // a failed import says the same for every reason; where asking is not allowed, it has to do
  const response = await fetch(url, { method: 'HEAD' }).catch(() => null);
  const isPage = response?.headers.get('Content-Type')?.startsWith('text/html') === true;
  if (response?.status !== 404 && !isPage) {
    if (response?.ok === true && isNotLoaded(error)) throw importMissing(laneName, url, error as Error);
    return;
  }
  const instead = isPage ? ': the server answered with a page (text/html)' : '';
  throw new FrameDeadlineError(
    'TASK_MODULE_NOT_FOUND',
    `lane ${laneName}: there is no task module at ${url}${instead}`,
  );
});

/** An import that was not even evaluated: browsers name the module that was asked for, whichever one is missing. */
function isNotLoaded(error: unknown): boolean {
  return error instanceof TypeError && /dynamically imported module|module script failed/i.test(error.message);
}

function importMissing(laneName: string, url: string, error: Error): FrameDeadlineError {
  const missing = (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
    .filter(({ responseStatus, initiatorType }) => responseStatus >= 400 && initiatorType !== 'fetch')
    .map(({ name, responseStatus }) => `${name} (${responseStatus})`);
  const which =
    missing.length > 0 ? `: ${missing.join(', ')}` : '; the network panel of the developer tools tells which';
  return new FrameDeadlineError(
    'TASK_MODULE_FAILED',
    `lane ${laneName}: importing ${url} failed: ${error.name}: ${error.message}; the module itself is there, so something that it imports is missing, is no JavaScript, or comes from another origin without Cross-Origin-Resource-Policy${which}`,
    { cause: error },
  );
}

const api: WorkerApi = {
  load: (modules) => service.load(modules),
  async attach(request) {
    const clock = clockSince(request.epochUs);
    const wakeupFloorUs = measureWakeupFloorUs(clock);
    const probe = new NoProbe('a browser does not tell it');
    const replacesSinceUs = request.replaces === true ? clock.nowUs() : null;
    const explainer = { probe, wakeupFloorUs, replacesSinceUs };
    const eventLoop = { soon, waitAsync, timer: new WebTimer(clock) };
    soon(await service.serverOf(request, clock, explainer, eventLoop, endThread));
    return { thread: { ...refusedReport(request.thread), ...refusedGc(request.gc) }, probes: probe.reports };
  },
};

function refusedGc(gc: AttachRequest['gc'] = 'auto'): Pick<ThreadReport, 'gc'> {
  if (gc === 'auto') return {};
  const reason = 'a browser lets nobody call its garbage collector';
  return { gc: { requested: gc, effective: 'auto', mechanism: null, reason } };
}

serveCalls(() => api);
