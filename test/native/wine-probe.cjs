// Runs on Windows, or under Wine, whose pipes Node cannot write to: answers go to a file.
// Arguments: path of the addon, of the file, requests as JSON.
const { writeFileSync } = require('node:fs');

const [addonPath, answerPath, requests] = process.argv.slice(2);
const addon = require(addonPath);
const defaults = {
  name: 'probe',
  priority: 0,
  cpus: null,
  periodUs: 0,
  budgetUs: 0,
  realtimePriority: 10,
  timerSlackNs: 0,
  brokered: false,
};
const reports = JSON.parse(requests).map((request) => addon.apply({ ...defaults, ...request }));
const usage = new Float64Array(7);
addon.usage(usage);
let thrown = null;
try {
  addon.apply({ ...defaults, priority: 3 });
} catch (error) {
  thrown = error.name;
}
const foreign = addon.read(4).error;
const lock = addon.lockMemory(new Uint8Array(new SharedArrayBuffer(65536)));
writeFileSync(
  answerPath,
  JSON.stringify({ platform: addon.platform, reports, usage: [...usage], thrown, foreign, lock }),
);
