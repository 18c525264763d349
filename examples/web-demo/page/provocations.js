// What can be broken on purpose, and by what a miss is known to come of it.

/** @typedef {import('frame-deadline').Miss} Miss @typedef {import('./demo.js').Demo} Demo */

/**
 * @typedef {object} Provocation
 * @property {string} id
 * @property {string} key
 * @property {string} title
 * @property {string} hint what it does
 * @property {boolean} inline whether it can be done without workers
 * @property {number} patienceMs how long the miss may take to come
 * @property {(demo: Demo) => void} provoke
 * @property {(miss: Miss) => boolean} isOf
 */

/** @type {readonly Provocation[]} */
export const PROVOCATIONS = [
  {
    id: 'overrun',
    key: '1',
    title: 'Overrun a task',
    hint: 'One tile of the picture works 40 ms; its budget is 4.',
    inline: true,
    patienceMs: 3000,
    provoke: (demo) => demo.overrunTile(40),
    isOf: (miss) => miss.task === 'tile' && miss.cause === 'overrun' && ranUs(miss) > 35_000,
  },
  {
    id: 'waiting',
    key: '2',
    title: 'Stand in the queue',
    hint: 'Another job, not late itself, holds every render worker for 60 ms.',
    inline: true,
    patienceMs: 3000,
    provoke: (demo) => demo.blockRenderWorkers(60),
    isOf: ({ cause, culprit }) => cause === 'waitingBehind' && culprit?.task === 'bake',
  },
  {
    id: 'late-submit',
    key: '3',
    title: 'Submit too late',
    hint: 'The frame’s callback does 25 ms of something else before it submits.',
    inline: true,
    patienceMs: 3000,
    provoke: (demo) => demo.holdCallback(25),
    isOf: ({ cause, culprit }) =>
      cause === 'lateSubmit' && culprit?.kind === 'mainThread' && culprit.executionUs > 20_000,
  },
  {
    id: 'callback',
    key: '4',
    title: 'Overstay a callback',
    hint: 'The same for 90 ms: the next frames cannot even begin.',
    inline: true,
    patienceMs: 3000,
    provoke: (demo) => demo.holdCallback(90),
    isOf: ({ lane, culprit }) => lane === 'main' && culprit?.task === 'frame callback' && culprit.executionUs > 80_000,
  },
  {
    id: 'stall',
    key: '5',
    title: 'Stall the page',
    hint: 'Something else on the page’s thread computes for 150 ms. Sound and workers go on.',
    inline: true,
    patienceMs: 3000,
    provoke: (demo) => demo.stallMainThread(150),
    isOf: ({ lane, culprit }) => lane === 'main' && culprit?.task === 'event loop' && culprit.executionUs > 100_000,
  },
  {
    id: 'crash',
    key: '6',
    title: 'Crash a worker',
    hint: 'A job ends its own thread, for which Chromium takes 2 s. Another takes its place.',
    inline: false,
    patienceMs: 10_000,
    provoke: (demo) => demo.crashWorker(),
    isOf: ({ cause }) => cause === 'crashed',
  },
  {
    id: 'hang',
    key: '7',
    title: 'Hang a worker',
    hint: 'A job never returns. After 3 s it is given up; Chromium takes 2 s more to end its thread.',
    inline: false,
    patienceMs: 15_000,
    provoke: (demo) => demo.hangWorker(),
    isOf: ({ task, cause }) => task === 'hang' && cause === 'hung',
  },
  {
    id: 'audio',
    key: '8',
    title: 'Starve the sound',
    hint: 'The audio lane does nothing for 250 ms: with the sound on, you hear the gap.',
    inline: true,
    patienceMs: 3000,
    provoke: (demo) => demo.stallAudio(250),
    isOf: (miss) => miss.lane === 'audio' && miss.cause === 'overrun' && ranUs(miss) > 200_000,
  },
  {
    id: 'litter',
    key: '9',
    title: 'Litter memory',
    hint: 'A job makes garbage for 60 ms. Collections have no signal here, so their time counts as the job’s.',
    inline: true,
    patienceMs: 3000,
    provoke: (demo) => demo.litter(60),
    isOf: ({ task }) => task === 'litter',
  },
  {
    id: 'crowd',
    key: '0',
    title: 'Crowd the CPUs',
    hint: 'Twice as many busy threads as CPUs, for 2 s: workers wake up late, if the system lets them.',
    inline: false,
    patienceMs: 5000,
    provoke: (demo) => demo.crowd(2000),
    isOf: ({ lane, cause }) => lane !== 'main' && cause === 'wakeup',
  },
];

/** @param {Miss} miss */
function ranUs({ startAtUs, finishAtUs }) {
  return startAtUs === null ? 0 : finishAtUs - startAtUs;
}
