/** @typedef {import('./ledger.js').JobRecord} JobRecord */
/** @typedef {import('./round.js').Evidence} Evidence */

/** At most so many faults of one kind are told. */
const TOLD = 5;

/** Whether contract C1 held for every job of a round, and what else can be told from its end. @returns {string[]} faults */
export function judge(/** @type {Evidence} */ evidence) {
  const faults = new Faults();
  for (const job of evidence.jobs) judgeJob(job, evidence, faults);
  judgeBarriers(evidence, faults);
  judgeStrangers(evidence, faults);
  judgeLanes(evidence, faults);
  judgePeriods(evidence, faults);
  for (const text of evidence.unexpected) faults.add('unexpected', text);
  return faults.list();
}

class Faults {
  constructor() {
    /** @type {Map<string, string[]>} */
    this.byKind = new Map();
  }
  add(/** @type {string} */ kind, /** @type {string} */ text) {
    const list = this.byKind.get(kind) ?? [];
    list.push(text);
    this.byKind.set(kind, list);
  }
  list() {
    return [...this.byKind.values()].flatMap((list) =>
      list.length <= TOLD ? list : [...list.slice(0, TOLD), `(and ${list.length - TOLD} more of this kind)`],
    );
  }
}

const OUTCOMES = ['onTime', 'late', 'expired', 'failed', 'cancelled', 'lost'];

/** What the host was told of a job against what its handler says of itself. */
function judgeJob(
  /** @type {JobRecord} */ job,
  /** @type {Evidence} */ { starts, ends, deaths, cut },
  /** @type {Faults} */ faults,
) {
  const { id, outcome, refused, idempotent } = job;
  const started = /** @type {number} */ (starts[id]);
  const ended = /** @type {number} */ (ends[id]);
  const name = `job ${id} (${job.lane}.${job.task}, ${refused === false ? outcome : `refused: ${refused}`})`;
  const says = `its handler began ${started} times and came to its end ${ended} times`;
  if (job.wrong !== null) faults.add('output', `${name}: ${job.wrong}`);
  if (refused !== false) {
    if (started > 0) faults.add('refused', `${name} ran although it was refused: ${says}`);
    return;
  }
  if (outcome === 'unread') return;
  if (outcome === null || !OUTCOMES.includes(outcome)) {
    faults.add('open', `${name} has no outcome after the end`);
    return;
  }
  if (started > (idempotent ? 2 : 1)) faults.add('twice', `${name} was started too often: ${says}`);
  if (ended > started) faults.add('twice', `${name}: ${says}`);
  if (outcome === 'onTime' || outcome === 'late') {
    if (ended === 0) faults.add('unrun', `${name} was not run to its end: ${says}`);
    if (!idempotent && ended !== 1) faults.add('twice', `${name}: ${says}`);
  }
  // an idempotent one may have been run before, by a worker that died
  if (outcome === 'expired' && started > (idempotent ? 1 : 0)) faults.add('dropped', `${name} was run: ${says}`);
  if (outcome === 'lost' && deaths === 0 && !cut) {
    faults.add('lost', `${name}, and no worker has died: ${says}`);
  }
}

/** What is behind a barrier starts when all before it has ended. */
function judgeBarriers(
  /** @type {Evidence} */ { jobs, starts, startTickets, ends, endTickets },
  /** @type {Faults} */ faults,
) {
  /** Last ticket of the stages before, by frame. @type {Map<number, { stage: number, last: number, before: number }>} */
  const frames = new Map();
  for (const { id, frame, stage, refused, outcome, lane, task } of jobs) {
    if (frame < 0 || refused !== false) continue;
    const seen = frames.get(frame) ?? { stage: 0, last: 0, before: 0 };
    frames.set(frame, seen);
    if (stage > seen.stage) {
      seen.before = Math.max(seen.before, seen.last);
      seen.stage = stage;
    }
    if (starts[id] === 0) continue;
    const start = /** @type {number} */ (startTickets[id]);
    if (start < seen.before) {
      faults.add(
        'barrier',
        `job ${id} (${lane}.${task}) in stage ${stage} of frame ${frame} began before the stages in front of it had ended`,
      );
    }
    // one that was given up may come to its end later
    const isOver = outcome !== 'lost' && outcome !== 'unread' && ends[id] === 1 && starts[id] === 1;
    seen.last = Math.max(seen.last, start, isOver ? /** @type {number} */ (endTickets[id]) : 0);
  }
}

/** Handlers that ran for jobs that nobody submitted. */
function judgeStrangers(/** @type {Evidence} */ { jobs, starts }, /** @type {Faults} */ faults) {
  const known = new Set(jobs.map(({ id }) => id));
  starts.forEach((count, id) => {
    if (count > 0 && !known.has(id)) faults.add('stranger', `job ${id} ran ${count} times and was never submitted`);
  });
}

const sum = (/** @type {Record<string, number>} */ counts) => Object.values(counts).reduce((total, n) => total + n, 0);

/** What telemetry counted: in itself, and against what the host saw. */
function judgeLanes(/** @type {Evidence} */ { jobs, lanes }, /** @type {Faults} */ faults) {
  for (const [lane, counts] of Object.entries(lanes)) {
    judgeCounts(lane, counts, faults);
    for (const key of ['submitted', 'accepted', 'refused', 'misses', 'inFlight']) {
      const total = sum(Object.fromEntries(Object.entries(counts.tasks).map(([task, of]) => [task, of[key]])));
      if (counts[key] !== total)
        faults.add('counts', `lane ${lane}: ${key} is ${counts[key]}, its tasks have ${total}`);
    }
    for (const [task, of] of Object.entries(counts.tasks)) {
      judgeCounts(`${lane}.${task}`, of, faults);
      if (task !== 'tick')
        judgeTask(
          `${lane}.${task}`,
          of,
          jobs.filter((job) => job.lane === lane && job.task === task),
          faults,
        );
    }
  }
}

/** Contract C1 within one set of counts, when nothing is in flight any more. */
function judgeCounts(/** @type {string} */ name, /** @type {any} */ counts, /** @type {Faults} */ faults) {
  const { submitted, accepted, refused, inFlight, outcomes, refusals, misses, missCauses } = counts;
  const wrong = (/** @type {string} */ text) => faults.add('counts', `${name}: ${text}`);
  if (submitted !== accepted + refused) wrong(`${submitted} submitted, ${accepted} accepted and ${refused} refused`);
  if (refused !== sum(refusals)) wrong(`${refused} refused, by reason ${JSON.stringify(refusals)}`);
  if (accepted !== sum(outcomes)) wrong(`${accepted} accepted, and ended ${JSON.stringify(outcomes)}`);
  if (inFlight !== 0) wrong(`${inFlight} in flight after the end`);
  if (misses !== sum(missCauses)) wrong(`${misses} misses, by cause ${JSON.stringify(missCauses)}`);
  if (misses < outcomes.late + outcomes.expired + outcomes.lost) {
    wrong(`${misses} misses, and ended ${JSON.stringify(outcomes)}`);
  }
  for (const [key, value] of Object.entries({
    submitted,
    accepted,
    refused,
    ...outcomes,
    ...refusals,
    ...missCauses,
  })) {
    if (!(Number.isInteger(value) && value >= 0)) wrong(`${key} is ${value}`);
  }
}

function judgeTask(
  /** @type {string} */ name,
  /** @type {any} */ counts,
  /** @type {JobRecord[]} */ jobs,
  /** @type {Faults} */ faults,
) {
  const wrong = (/** @type {string} */ text) => faults.add('told', `${name}: ${text}`);
  if (counts.submitted !== jobs.length)
    wrong(`${counts.submitted} counted as submitted, the host submitted ${jobs.length}`);
  for (const [reason, counted] of Object.entries(counts.refusals)) {
    const seen = jobs.filter((job) => job.refused === reason).length;
    if (counted !== seen) wrong(`${counted} counted as refused (${reason}), the host saw ${seen}`);
  }
  // those whose outcome nobody read can be any
  let unread = jobs.filter((job) => job.refused === false && job.outcome === 'unread').length;
  for (const outcome of OUTCOMES) {
    const counted = counts.outcomes[outcome];
    const seen = jobs.filter((job) => job.refused === false && job.outcome === outcome).length;
    if (counted < seen || counted - seen > unread) wrong(`${counted} counted as ${outcome}, the host saw ${seen}`);
    else unread -= counted - seen;
  }
}

/** Periodic jobs: nobody submits them, so only counts and handlers can be compared. */
function judgePeriods(/** @type {Evidence} */ { lanes, periods }, /** @type {Faults} */ faults) {
  for (const [lane, runs] of Object.entries(periods)) {
    const outcomes = lanes[lane]?.tasks.tick?.outcomes;
    if (outcomes === undefined) {
      faults.add('periods', `lane ${lane} has no counts for its periodic task`);
      continue;
    }
    let ran = 0;
    runs.forEach((count, period) => {
      ran += count;
      if (count > 1) faults.add('periods', `period ${period} of lane ${lane} ran ${count} times`);
    });
    const { onTime, late, failed, cancelled, lost } = outcomes;
    const least = onTime + late;
    const most = least + failed + cancelled + lost;
    if (ran < least || ran > most) {
      faults.add('periods', `lane ${lane}: ${ran} periods ran, and ended ${JSON.stringify(outcomes)}`);
    }
  }
}
