import { Announcer } from './announcer.js';
import { Demo } from './demo.js';
import { find, make, setText, shape } from './elements.js';
import { EventSource } from './events.js';
import { FramePlot } from './frame-plot.js';
import { explainIsolation } from './isolation.js';
import { MissView } from './miss-view.js';
import { PROVOCATIONS } from './provocations.js';
import { canShare, SAMPLE_RATE_HZ } from './stage.js';
import { TelemetryView } from './telemetry-view.js';
import { durationText, verdictText } from './words.js';

const PLOT_EVERY_MS = 100;
const MISSES_EVERY_MS = 500;
const TABLES_EVERY_MS = 1000;

/** @typedef {import('./provocations.js').Provocation} Provocation */

const announcer = new Announcer();
const misses = new MissView();
/** What was provoked and not yet named. @type {Map<Provocation, number>} */
const expected = new Map();
/** @type {Demo | null} */
let demo = null;

addProvocations();
addKeys();
explainIsolation();
start().catch(fail);

async function start() {
  const canvas = find('picture');
  const started = await Demo.start(/** @type {HTMLCanvasElement} */ (canvas));
  demo = started;
  const events = new EventSource(find('instrument'), started.stage);
  addMusicKeys(events);
  addControls(started);
  showTelemetry(started);
  for (const provocation of PROVOCATIONS)
    find(`provoke-${provocation.id}`).toggleAttribute('disabled', !canShare && !provocation.inline);
  // who asked for less motion starts it himself
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) showPaused();
  else run(started);
}

/** @param {unknown} error */
function fail(error) {
  const message = find('message');
  setText(message, `The demo stopped: ${error instanceof Error ? error.message : String(error)}`);
  message.hidden = false;
  find('curtain').hidden = true;
}

// ------------------------------------------------- running and sound

/** @param {Demo} started */
function run(started) {
  find('curtain').hidden = true;
  setButton('run', true, 'Pause');
  started.run().catch(fail);
}

function showPaused() {
  setText(find('curtain'), 'Paused');
  find('curtain').hidden = false;
  setButton('run', false, 'Run');
}

/** The label says what it does, not how it is. @param {string} id @param {boolean} isOn @param {string} label */
function setButton(id, isOn, label) {
  const button = find(id);
  button.dataset['on'] = String(isOn);
  setText(button.querySelector('.label') ?? button, label);
}

/** @param {Demo} started */
function addControls(started) {
  const { sound } = started;
  const runButton = find('run');
  runButton.toggleAttribute('disabled', false);
  runButton.addEventListener('click', () => {
    if (started.isRunning) {
      started.pause();
      showPaused();
      announcer.say('Picture paused. The lanes go on.');
    } else {
      run(started);
      announcer.say('Picture runs.');
    }
  });
  const soundButton = find('sound');
  if (sound === null) {
    setText(soundButton.querySelector('.label') ?? soundButton, 'No sound without isolation');
    return;
  }
  for (const id of ['sound', 'volume', 'depth']) find(id).toggleAttribute('disabled', false);
  soundButton.addEventListener('click', async () => {
    try {
      await (sound.isOn ? sound.turnOff() : sound.turnOn());
    } catch (error) {
      fail(error);
    }
    setButton('sound', sound.isOn, sound.isOn ? 'Turn sound off' : 'Turn sound on');
    announcer.say(sound.isOn ? 'Sound on.' : 'Sound off.');
  });
  const volume = /** @type {HTMLInputElement} */ (find('volume'));
  const onVolume = () => sound.setVolume(volume.valueAsNumber / 100);
  volume.addEventListener('input', onVolume);
  onVolume();
  const depth = /** @type {HTMLInputElement} */ (find('depth'));
  const onDepth = () => {
    sound.setDepth(depth.valueAsNumber);
    setText(find('depth-value'), `${Math.round((depth.valueAsNumber / SAMPLE_RATE_HZ) * 1000)} ms`);
  };
  depth.addEventListener('input', onDepth);
  onDepth();
}

// ------------------------------------------------- provocations

function addProvocations() {
  const items = PROVOCATIONS.map((provocation) => {
    const { id, key, title, hint, inline } = provocation;
    const button = make('button', '', make('kbd', '', key), title);
    button.type = 'button';
    button.id = `provoke-${id}`;
    button.disabled = true;
    button.setAttribute('aria-describedby', `hint-${id}`);
    button.addEventListener('click', () => provoke(provocation));
    const words = make('p', '', !canShare && !inline ? `${hint} Needs workers.` : hint);
    words.id = `hint-${id}`;
    const verdict = make('p', 'verdict');
    verdict.id = `verdict-${id}`;
    return make('li', 'card', button, words, verdict);
  });
  find('provocations').append(...items);
}

/** @param {Provocation} provocation */
function provoke(provocation) {
  if (demo === null) return;
  const { id, patienceMs } = provocation;
  clearTimeout(expected.get(provocation));
  const verdict = find(`verdict-${id}`);
  verdict.className = 'verdict';
  if (!demo.isRunning) {
    setText(verdict, 'The picture is paused: run it first.');
    announcer.say('The picture is paused: run it first.');
    return;
  }
  setText(verdict, '…');
  expected.set(
    provocation,
    window.setTimeout(() => {
      expected.delete(provocation);
      setText(verdict, 'No such miss: this machine coped.');
      announcer.say(`${provocation.title}: no such miss, this machine coped.`);
    }, patienceMs),
  );
  provocation.provoke(demo);
}

/** @param {Provocation} provocation @param {import('frame-deadline').Miss} miss */
function showVerdict(provocation, miss) {
  clearTimeout(expected.get(provocation));
  expected.delete(provocation);
  const { cause, rest } = verdictText(miss);
  const verdict = find(`verdict-${provocation.id}`);
  verdict.className = `verdict c-${miss.cause}`;
  verdict.dataset['cause'] = miss.cause;
  verdict.replaceChildren(shape(miss.cause), ' ', make('b', '', cause), rest);
  announcer.say(`${provocation.title}: named ${cause}${rest}`);
}

// ------------------------------------------------- telemetry

/** @param {import('frame-deadline').Miss} miss */
function noteMiss(miss) {
  misses.add(miss);
  announcer.missed(miss.periods);
  for (const provocation of expected.keys()) {
    if (!provocation.isOf(miss)) continue;
    showVerdict(provocation, miss);
    break;
  }
}

/** @param {Demo} started */
function showTelemetry(started) {
  const { scheduler, picture, sound } = started;
  const plot = new FramePlot(/** @type {HTMLCanvasElement} */ (find('plot')));
  const view = new TelemetryView(scheduler);
  const recent = scheduler.telemetryWindow();
  setInterval(() => {
    // read, and not told by `onMiss`: that spares a flood its listeners, and what was provoked may stand in one
    const { frames, misses: missed } = recent.read();
    for (const miss of missed) noteMiss(miss);
    plot.add(frames);
    if (!document.hidden) plot.draw();
  }, PLOT_EVERY_MS);
  setInterval(() => {
    misses.show();
    setText(find('latency'), picture.latencyMs < 0 ? '–' : durationText(picture.latencyMs * 1000));
    const xruns = sound?.xruns() ?? null;
    setText(find('xruns'), xruns === null ? '–' : `${xruns.count}`);
    setText(find('silent'), xruns === null || xruns.count === 0 ? '' : `${durationText(xruns.silentMs * 1000)} silent`);
    const path = sound?.latencyMs() ?? null;
    setText(find('path'), path === null ? '–' : durationText(path * 1000));
    announcer.summarise();
  }, MISSES_EVERY_MS);
  setInterval(() => {
    view.update();
    const fps = started.isRunning ? plot.framesPerSecond() : null;
    setText(find('fps'), fps === null ? '–' : fps.toFixed(0));
  }, TABLES_EVERY_MS);
  const hold = find('hold');
  hold.addEventListener('click', () => {
    misses.isHeld = !misses.isHeld;
    hold.setAttribute('aria-pressed', String(misses.isHeld));
  });
}

// ------------------------------------------------- keys

function addKeys() {
  /** @type {[string, string, string][]} */
  const keys = [
    ['m', 'sound', 'sound on and off'],
    [' ', 'run', 'picture: pause and run'],
    ['v', 'hold', 'hold the list of misses'],
    ...PROVOCATIONS.map(
      ({ key, id, title }) => /** @type {[string, string, string]} */ ([key, `provoke-${id}`, title.toLowerCase()]),
    ),
  ];
  const shown = [
    ...keys.map(([key, , what]) => [key === ' ' ? 'Space' : key.toUpperCase(), what]),
    ['← ↑ → ↓', 'on the picture: move the pointer'],
    ['A–L Q–P', 'play'],
  ];
  find('key-list').append(
    ...shown.flatMap(([key, what]) => [make('dt', '', make('kbd', '', key ?? '')), make('dd', '', what ?? '')]),
  );
  addEventListener('keydown', (event) => {
    if (!isShortcut(event) || event.repeat) return;
    const found = keys.find(([key]) => key === event.key.toLowerCase());
    // Space on a button presses that button
    if (found === undefined || (event.key === ' ' && event.target instanceof HTMLButtonElement)) return;
    event.preventDefault();
    find(found[1]).click();
  });
}

/** @param {EventSource} events */
function addMusicKeys(events) {
  for (const name of /** @type {const} */ (['keydown', 'keyup'])) {
    addEventListener(name, (event) => {
      if (isShortcut(event) && EventSource.plays(event.key)) events.key(event, name === 'keydown');
    });
  }
}

/** @param {KeyboardEvent} event */
function isShortcut(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return false;
  const { target } = event;
  if (target instanceof HTMLInputElement) return false;
  return /** @type {HTMLInputElement} */ (find('shortcuts')).checked;
}
