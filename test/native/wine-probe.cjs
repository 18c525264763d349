// Runs on Windows, or under Wine, whose pipes Node cannot write to: answers go to a file.
// Arguments: path of the addon, of the file, requests as JSON.
const { writeFileSync } = require('node:fs');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const DEFAULTS = {
  name: 'probe',
  priority: 0,
  cpus: null,
  periodUs: 0,
  budgetUs: 0,
  realtimePriority: 10,
  timerSlackNs: 0,
  brokered: false,
};

/** The addon of this thread, every request applied in turn, and what it says of time and memory. */
function answers(addonPath, requests) {
  const addon = require(addonPath);
  const reports = requests.map((request) => addon.apply({ ...DEFAULTS, ...request }));
  const usage = new Float64Array(7);
  addon.usage(usage);
  return { platform: addon.platform, reports, usage: [...usage] };
}

function thrownBy(call) {
  try {
    call();
    return null;
  } catch (error) {
    return error.name;
  }
}

async function main() {
  const [addonPath, answerPath, text] = process.argv.slice(2);
  const requests = JSON.parse(text);
  const addon = require(addonPath);
  const inMain = answers(addonPath, requests);
  // the last report of the worker is left in force: its end must give back what it holds
  const last = { addonPath, requests: [...requests, requests.at(-2)] };
  const worker = new Worker(__filename, { workerData: last, stdout: true, stderr: true });
  const inWorker = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const threadId = inWorker.reports[0].state.threadId;
  const seenFromMain = addon.read(threadId);
  await worker.terminate();
  const heldAfterwards = addon.read(0).timerSlackNs;
  const afterEnd = addon.read(threadId).error;
  const foreign = addon.read(4).error;
  const lock = addon.lockMemory(new Uint8Array(new SharedArrayBuffer(65536)));
  const thrown = thrownBy(() => addon.apply({ ...DEFAULTS, priority: 3 }));
  const result = { inMain, inWorker, seenFromMain, heldAfterwards, afterEnd, thrown, foreign, lock };
  writeFileSync(answerPath, JSON.stringify(result));
  process.exit(0);
}

if (isMainThread) {
  main().catch((error) => {
    writeFileSync(process.argv[3], JSON.stringify({ error: String(error.stack) }));
    process.exit(1);
  });
} else {
  parentPort.postMessage(answers(workerData.addonPath, workerData.requests));
  // keeps the thread until it is terminated
  parentPort.on('message', () => {});
}
