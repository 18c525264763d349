import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

// Contestants are processes of their own, started before the first round and asked in turn: none shapes another's code
// or heap, and each can have the Node that it needs.

const program = fileURLToPath(new URL('../contestants/process.js', import.meta.url));
const rivalsFolder = new URL('../rivals/', import.meta.url);
const contestantsFolder = new URL('../contestants/', import.meta.url);
const START_MS = 20_000;
const ANSWER_MS = 60_000;

const moduleOf = (name) => new URL(`${name}.js`, name === 'frame-deadline' ? contestantsFolder : rivalsFolder);

/** A Node of at least 22: this one, or the one installed with the rivals; null where there is none. */
function node22() {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  const program = new URL(`node_modules/node-22-${process.platform}-${process.arch}/bin/node`, rivalsFolder);
  return existsSync(program) ? fileURLToPath(program) : null;
}

/** The module of knitting: as installed, or in the folder that KNITTING names; null where there is none. */
function knittingModule() {
  const folder = process.env.KNITTING;
  const url =
    folder === undefined
      ? new URL('node_modules/knitting/knitting.js', rivalsFolder)
      : pathToFileURL(`${folder}/knitting.js`);
  return existsSync(url) ? url.href : null;
}

/** Rivals in the way that they are used best with so many jobs in flight. `label`, module, options, `node`. */
export function rivals(inFlight) {
  const list = [
    { label: 'postMessage', module: 'post-message' },
    { label: 'piscina', module: 'piscina', options: { inFlight } },
    { label: 'tinypool', module: 'tinypool', options: { inFlight } },
    { label: 'poolifier', module: 'poolifier' },
    { label: 'workerpool', module: 'workerpool' },
    { label: 'threads, Pool', module: 'threads', options: { pool: true, inFlight } },
    { label: 'threads, spawn', module: 'threads', options: { pool: false } },
    { label: 'comlink', module: 'comlink' },
    { label: 'bare ring, waitAsync', module: 'bare-ring', sharesMemory: true },
  ];
  return list.map((rival) => ({ options: {}, node: process.execPath, sharesMemory: false, ...rival }));
}

/** knitting, and why it is left out where it is. */
export function knitting() {
  const node = node22();
  const module = knittingModule();
  if (module === null) {
    return { rival: null, why: 'knitting: npm does not have it here (KNITTING=FOLDER names a build of it)' };
  }
  if (node === null) return { rival: null, why: 'knitting: cannot, it needs Node 22' };
  const label = node === process.execPath ? 'knitting' : 'knitting, Node 22';
  return { rival: { label, module: 'knitting', options: { module }, node, sharesMemory: true }, why: null };
}

/**
 * Starts a contestant; `prefix` is a command to start it with, such as `taskset -c 0`. `ask(what, argument)` tells it
 * to measure, `close()` ends it and tells its CPU time. It throws if it does not come up.
 */
export async function start({ module, options = {}, node = process.execPath, prefix = [] }) {
  const [command, ...args] = [...prefix, node, program, moduleOf(module).href, JSON.stringify(options)];
  const child = spawn(command, args, {
    stdio: ['ignore', 2, 2, 'ipc'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  let settle = null;
  const answer = () =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
  child.on('message', ({ value, error }) => {
    if (error === undefined) settle?.resolve(value);
    else settle?.reject(new Error(error));
  });
  child.on('error', (error) => settle?.reject(error));
  child.on('exit', (code, signal) => settle?.reject(new Error(`it ended (${signal ?? `status ${code}`})`)));
  const timeout = setTimeout(() => child.kill('SIGKILL'), START_MS);
  const ready = answer();
  try {
    await ready;
  } finally {
    clearTimeout(timeout);
  }
  const ask = async (what, argument = {}) => {
    const answered = answer();
    child.send({ what, argument });
    const hung = setTimeout(() => child.kill('SIGKILL'), ANSWER_MS);
    try {
      return await answered;
    } finally {
      clearTimeout(hung);
    }
  };
  return {
    ask,
    async close() {
      const { cpuMs } = await ask('close');
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      const kill = setTimeout(() => child.kill('SIGKILL'), 2000);
      await ended;
      clearTimeout(kill);
      return cpuMs;
    },
  };
}
