import type { ThreadBudget } from '../host/thread-control.js';
import type { LaneInfo, TaskInfo } from '../worker/task-runtime.js';

/**
 * What the tasks of one worker declare to need, or null if one of them declares no `budgetUs`: then nothing bounds what
 * the worker would do at real-time priority. A task counts as sporadic: its budget in each of its periods, or in each
 * relative deadline if it has none. The demand of a lane is that of its most demanding task; demands of lanes add up
 * (density of sporadic tasks), and are given for the shortest period.
 */
export function threadBudgetOf(lanes: readonly LaneInfo[], tasks: readonly TaskInfo[]): ThreadBudget | null {
  let shortestUs = Number.POSITIVE_INFINITY;
  let demand = 0;
  for (const lane of lanes) {
    let laneDemand = 0;
    for (const task of tasks) {
      if (task.lane !== lane.index) continue;
      if (task.budgetUs <= 0) return null;
      const periodUs = lane.periodic?.task === task.index ? lane.periodic.periodUs : task.deadlineUs;
      shortestUs = Math.min(shortestUs, periodUs);
      laneDemand = Math.max(laneDemand, task.budgetUs / periodUs);
    }
    demand += laneDemand;
  }
  return demand === 0 ? null : { periodUs: shortestUs, budgetUs: demand * shortestUs };
}
