// Asks as fast as it may, until it is killed; a line with the moment of each answer. node client.js PATH REQUEST
import { connectTelemetry } from '../../../dist/report/telemetry-client.js';

const [path, request] = process.argv.slice(2);
const client = await connectTelemetry(path);
process.stdout.write('connected\n');
for (;;) {
  await client[request]();
  process.stdout.write(`${Date.now()}\n`);
  await new Promise((resolve) => setTimeout(resolve, 20));
}
