import { setTimeout as sleep } from 'node:timers/promises';
import { bindHost, setHostPolicy } from '../harness/host-priority.js';
import { measuresOf } from './measures.js';

const CLOSE_MS = 1000;

// One contestant in a process of its own: opens its pool, measures when told, and closes it.
const [, , url, options] = process.argv;
const pool = await (await import(url)).open(JSON.parse(options));
const measures = {
  ...(pool.measures ?? measuresOf(pool)),
  bindHost: ({ cpus }) => bindHost(cpus),
  setHostPolicy: ({ policy, number }) => setHostPolicy(policy, number),
  async close() {
    // some take longer, or for ever; the process ends anyway
    await Promise.race([pool.close(), sleep(CLOSE_MS)]);
    const { user, system } = process.cpuUsage();
    return { cpuMs: (user + system) / 1000 };
  },
};
process.on('message', async ({ what, argument }) => {
  try {
    process.send({ value: await measures[what](argument) });
  } catch (error) {
    process.send({ error: error.stack });
  }
});
process.on('disconnect', () => process.exit(0));
process.send({ value: { node: process.version } });
