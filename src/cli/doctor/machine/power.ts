import { execFile } from 'node:child_process';
import type { PowerState } from './facts.js';

const PATIENCE_MS = 1000;
/** Windows' scheme "Power saver", the same on every machine. */
const POWER_SAVER_SCHEME = 'a1841308-3541-4fab-bc81-f71556f20b4a';

/** A supply of `/sys/class/power_supply`. */
export interface Supply {
  readonly type: string;
  /** Such as `Discharging` for batteries. */
  readonly status: string | null;
  /** `Device` for the battery of a mouse and its like. */
  readonly scope: string | null;
}

/** Linux: the platform's profile first (`low-power` is what desktops call power saver), then what feeds the machine. */
export function linuxPower(profile: string | null, supplies: readonly Supply[]): PowerState {
  if (profile === 'low-power' || profile === 'quiet') return 'saver';
  const own = supplies.filter((supply) => supply.scope !== 'Device');
  if (own.some((supply) => supply.type === 'Battery' && supply.status === 'Discharging')) return 'battery';
  return own.length === 0 && profile === null ? 'unknown' : 'mains';
}

/** macOS: what `pmset -g` and `pmset -g batt` print. */
export function macPower(settings: string, battery: string): PowerState {
  if (/^\s*(lowpowermode|powermode)\s+1\s*$/m.test(settings)) return 'saver';
  if (battery.includes("'Battery Power'")) return 'battery';
  return battery.includes("'AC Power'") ? 'mains' : 'unknown';
}

/** Windows: what `powercfg /getactivescheme` prints. It does not tell what feeds the machine. */
export function windowsPower(scheme: string): PowerState {
  return scheme.toLowerCase().includes(POWER_SAVER_SCHEME) ? 'saver' : 'unknown';
}

/** Asks the system's own tool. `unknown` where there is none or it takes more than a second. */
export async function readPowerByTool(platform: NodeJS.Platform): Promise<PowerState> {
  if (platform === 'darwin') {
    const [settings, battery] = await Promise.all([run('pmset', ['-g']), run('pmset', ['-g', 'batt'])]);
    return macPower(settings, battery);
  }
  return platform === 'win32' ? windowsPower(await run('powercfg', ['/getactivescheme'])) : 'unknown';
}

function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: PATIENCE_MS, windowsHide: true }, (_error, stdout) => resolve(stdout));
  });
}
