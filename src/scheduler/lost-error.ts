import { type ErrorCode, FrameDeadlineError } from '../base/errors.js';
import { OUTCOME_LOST } from '../memory/layout.js';
import { CAUSE_CRASHED, CAUSE_HUNG, causeOfCounter } from '../telemetry/outcomes.js';

/**
 * Tells why a job is lost.
 * @param counter that its end was counted by; -1: nobody ended it, its state was overwritten by mistake
 * @param ranUs how long it had run; 0: it was never started
 * @param atClose it ended after `close()` had begun to end the workers
 */
export function lostError(
  lane: string,
  task: string,
  counter: number,
  ranUs: number,
  atClose: boolean,
): FrameDeadlineError {
  const cause = causeOfCounter(counter, OUTCOME_LOST);
  let code: ErrorCode = 'WORKER_DIED';
  let why = 'its worker died; describe() tells how, after refresh()';
  if (cause === CAUSE_HUNG) {
    why = 'it ran longer than hangMs';
  } else if (cause !== CAUSE_CRASHED) {
    code = 'JOB_FAILED';
    why = 'its slot was overwritten';
  } else if (atClose) {
    code = 'SCHEDULER_CLOSED';
    why = 'close() ended its worker while it ran; raise drainMs';
  } else if (ranUs <= 0) {
    why = 'nobody serves its lane; describe() tells why, after refresh()';
  }
  return new FrameDeadlineError(code, `${lane}.${task} is lost: ${why}`);
}
