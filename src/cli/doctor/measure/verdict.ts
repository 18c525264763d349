import type { Priority } from '../../../host/thread-control.js';
import type { PhaseResult } from './phase.js';

/**
 * `holds`: misses at most 0.5 % of the frames, or one, also beside the hogs. `mostly`: at most 5 %. `alone`: only without
 * load. `fails`: misses more than 5 % even alone. `refused`: not granted. `unmeasured`: the run was ended before.
 */
export type Verdict = 'holds' | 'mostly' | 'alone' | 'fails' | 'refused' | 'unmeasured';

const HOLDS_PERCENT = 0.5;
const MOSTLY_PERCENT = 5;

export function verdictOf(granted: boolean, withoutLoad: PhaseResult | null, withLoad: PhaseResult | null): Verdict {
  if (!granted) return 'refused';
  if (withoutLoad === null || withLoad === null) return 'unmeasured';
  if (!isWithin(withoutLoad, MOSTLY_PERCENT)) return 'fails';
  if (!isWithin(withLoad, MOSTLY_PERCENT)) return 'alone';
  return isWithin(withLoad, HOLDS_PERCENT) && isWithin(withoutLoad, HOLDS_PERCENT) ? 'holds' : 'mostly';
}

function isWithin(result: PhaseResult, percent: number): boolean {
  // one frame of a short run is more than half a percent of it
  return result.missedFrames <= Math.max(1, (result.frames * percent) / 100);
}

export interface LevelVerdict {
  readonly level: Priority;
  readonly verdict: Verdict;
}

/** The level to use and one sentence that says why. Levels in ascending order. */
export function overallVerdict(levels: readonly LevelVerdict[]): { level: Priority | null; text: string } {
  const withVerdict = (verdict: Verdict): LevelVerdict[] => levels.filter((level) => level.verdict === verdict);
  if (levels.every(({ verdict }) => verdict === 'unmeasured' || verdict === 'refused')) {
    return { level: null, text: 'Nothing was measured.' };
  }
  const holding = withVerdict('holds')[0];
  if (holding !== undefined) {
    const text =
      holding.level === 'normal'
        ? 'Even normal holds beside this load here; high costs nothing and is the default.'
        : `Use ${holding.level}: it keeps its deadlines beside a load that takes every CPU.`;
    return { level: holding.level === 'normal' ? highestOf(levels, 'high') : holding.level, text };
  }
  const mostly = withVerdict('mostly').at(-1);
  if (mostly !== undefined) {
    return { level: mostly.level, text: `${mostly.level} is the best there is: beside load some frames are late.` };
  }
  const alone = withVerdict('alone').at(-1);
  if (alone !== undefined) {
    const text = `${alone.level} keeps its deadlines only while the machine has nothing else to do.`;
    return { level: alone.level, text };
  }
  const level = withVerdict('fails').at(-1)?.level ?? null;
  return { level, text: 'No level keeps its deadlines here, even without load of ours: see what else is in the way.' };
}

/** `wanted` if it was granted and is no worse than normal, else normal. */
function highestOf(levels: readonly LevelVerdict[], wanted: Priority): Priority {
  const verdict = levels.find(({ level }) => level === wanted)?.verdict;
  return verdict === 'holds' ? wanted : 'normal';
}
