import { ADDON_VARIABLE } from '../../host/node/addon.js';
import type { Interrupt } from '../interrupt.js';
import { runLiveCommand } from './live-command.js';
import { runOfflineCommand } from './offline-command.js';
import { DEMO_HELP, parseDemoOptions } from './options.js';
import { Output } from './output.js';

/** `frame-deadline demo`. Resolves with the exit status. @throws FrameDeadlineError */
export async function demoCommand(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const options = parseDemoOptions(args);
  if (options === 'help') {
    process.stdout.write(DEMO_HELP);
    return 0;
  }
  if (!options.addon) process.env[ADDON_VARIABLE] = '0';
  const output = new Output(options.json, options.quiet);
  const report = await (options.offline ? runOfflineCommand : runLiveCommand)(options, interrupt, output);
  await output.finish(report);
  return report.interrupted ? interrupt.exitStatus : 0;
}
