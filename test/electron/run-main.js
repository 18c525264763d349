// Runs examples/electron/main.js as Electron does: the app is ready after its main module has been evaluated, and not before.
// Prints what was called, as JSON.
import { register } from 'node:module';
import { createFakeElectron } from './fake-electron.js';

const { electron, control } = createFakeElectron();
globalThis.fakeElectron = electron;
const names = Object.keys(electron).join(', ');
const source = `export const { ${names} } = globalThis.fakeElectron;`;
const hooks = `export const resolve = (specifier, context, next) =>
  specifier === 'electron'
    ? { url: ${JSON.stringify(`data:text/javascript,${encodeURIComponent(source)}`)}, format: 'module', shortCircuit: true }
    : next(specifier, context);`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
Object.defineProperty(process, 'type', { value: 'browser' });
Object.defineProperty(process.versions, 'electron', { value: '41.7.1' });

await import('../../examples/electron/main.js');
const before = control.calls.map(([name]) => name);
control.becomeReady();
while (control.windows.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
const [window] = control.windows;
const { frameTelemetry } = control.runPreload(window);
const update = await new Promise((resolve) => {
  frameTelemetry.subscribe('main', (message) => {
    if (message.snapshot.loops[0]?.frames > 5) resolve(message);
  });
});
window.close();
await control.exit;
console.log(JSON.stringify({ before, frames: update.snapshot.loops[0].frames, children: control.children.length }));
