import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { machine, type Role, StateSet, type Stepping } from './machine.js';

export interface RoleSpec {
  readonly name: string;
  readonly main: () => Stepping;
  /** May be killed before any of its accesses, at those times. Default never. */
  readonly mortal?: () => boolean;
  /** Does not start before this holds. */
  readonly when?: () => boolean;
}

/** One system to explore. It must do the same whenever the same schedule is followed. */
export interface Scenario {
  readonly buffers: readonly { name: string; buffer: ArrayBufferLike }[];
  /** Puts memory into its first state and gives the roles, which have not run. */
  begin(): readonly RoleSpec[];
  /** When nobody can go on: throws if something is wrong. */
  end(): void;
}

export interface Bounds {
  /** Switches away from a role that could have gone on. */
  readonly preemptions: number;
  /** Roles that may be killed. Default 0. */
  readonly kills?: number;
  /** Stops the search there. Default 200 000. */
  readonly maxSchedules?: number;
}

export interface Exploration {
  schedules: number;
  /** States before a contended access that were seen. */
  states: number;
  accesses: number;
  /** The whole of what the bounds allow was explored. */
  complete: boolean;
  failure: Failure | null;
}

export interface Failure {
  readonly message: string;
  /** For `replay`. */
  readonly schedule: string;
  /** What each switch was. */
  readonly trace: readonly string[];
}

/** A switch: at decision `at`, to role `to`, after killing the running one if `kills`. */
interface Switch {
  readonly at: number;
  readonly to: number;
  readonly kills: boolean;
}

interface Node {
  readonly parent: Node | null;
  readonly change: Switch;
  readonly preemptions: number;
  readonly kills: number;
}

/** A role that does not end within this many accesses goes round in circles. */
const MAX_ACCESSES = 50_000;
const LEARNING_RUNS = 40;

/**
 * All schedules with at most so many preemptions, by running the system anew for each. Roles are switched
 * only before accesses to contended words (others commute), and a state that was seen with the same budget is not
 * gone through again. Stops at the first failure.
 */
export function explore(scenario: Scenario, bounds: Bounds): Exploration {
  machine.reset(scenario.buffers);
  machine.forgetAccesses();
  const result: Exploration = { schedules: 0, states: 0, accesses: 0, complete: false, failure: null };
  // who contends for what is not known before; a search that finds more begins again
  for (let learning = 1; learning <= LEARNING_RUNS && result.failure === null; learning++) {
    new Run(scenario, null, randomly(learning, 8, bounds.kills ?? 0), result).go();
  }
  // one with few switches is better to read
  const learned = result.failure;
  result.failure = null;
  while (!searchOnce(scenario, bounds, result));
  result.failure ??= learned;
  return result;
}

/** So many random schedules. The seed is in the failure's message. */
export function exploreRandomly(scenario: Scenario, seed: number, runs: number, kills = 0): Exploration {
  machine.reset(scenario.buffers);
  machine.forgetAccesses();
  const result: Exploration = { schedules: 0, states: 0, accesses: 0, complete: false, failure: null };
  for (let i = 0; i < runs && result.failure === null; i++) {
    new Run(scenario, null, randomly(seed + i, 2 + (i % 12), kills), result).go();
    result.schedules++;
  }
  if (result.failure !== null) {
    const { message, ...rest } = result.failure;
    result.failure = { ...rest, message: `seed ${seed}: ${message}` };
  }
  return result;
}

/** Follows a schedule that a failure gave. Returns its failure, or null if it went well. */
export function replay(scenario: Scenario, schedule: string): Failure | null {
  machine.reset(scenario.buffers);
  machine.forgetAccesses();
  const script = schedule
    .split(' ')
    .filter((part) => part !== '')
    .map((part): Switch => {
      const [at, to] = part.split(/[:!]/).map(Number) as [number, number];
      return { at, to, kills: part.includes('!') };
    });
  const result: Exploration = { schedules: 0, states: 0, accesses: 0, complete: false, failure: null };
  new Run(
    scenario,
    null,
    followed(script, () => null),
    result,
  ).go();
  return result.failure;
}

/** Decides what runs next: null lets the running role go on, or, if that is null, the first that can. */
type Policy = (at: number, running: Role | null) => Switch | null | 'prune';

function followed(script: readonly Switch[], then: Policy): Policy {
  let next = 0;
  return (at, running) => {
    if (next === script.length) return then(at, running);
    if (script[next]!.at !== at) return null;
    return script[next++]!;
  };
}

function randomly(seed: number, every: number, kills: number): Policy {
  const random = xoroshiro128plus(seed);
  const below = (n: number): number => (random.next() >>> 1) % n;
  let left = kills;
  return (at, running) => {
    if (running !== null && below(every) !== 0) return null;
    if (left > 0 && running?.mortal() === true && below(4) === 0) {
      left--;
      return { at, to: -1, kills: true };
    }
    const enabled = othersThan(running);
    if (enabled.length === 0) return null;
    return { at, to: enabled[below(enabled.length)]!.index, kills: false };
  };
}

function othersThan(running: Role | null): Role[] {
  return machine.roles.filter((role) => role !== running && machine.isEnabled(role));
}

function contendedWords(): Uint8Array {
  const { readers, writers } = machine;
  const contended = new Uint8Array(readers.length);
  for (let address = 0; address < contended.length; address++) {
    const writing = writers[address]!;
    const all = writing | readers[address]!;
    if (writing !== 0 && (all & (all - 1)) !== 0) contended[address] = 1;
  }
  return contended;
}

/** Returns false if the search found words contended that it had not taken for such. */
function searchOnce(scenario: Scenario, bounds: Bounds, result: Exploration): boolean {
  const contended = contendedWords();
  const known = contended.reduce((sum, one) => sum + one, 0);
  const seen = new StateSet();
  result.schedules = 0;
  result.states = 0;
  const maxSchedules = bounds.maxSchedules ?? 200_000;
  const open: (Node | null)[] = [null];
  const random = xoroshiro128plus(1);
  while (open.length > 0 && result.failure === null && result.schedules < maxSchedules) {
    // any of them: what is left out where the search is cut off lies anywhere
    const at = (random.next() >>> 1) % open.length;
    const node = open[at] as Node | null;
    open[at] = open[open.length - 1] as Node | null;
    open.pop();
    const script: Switch[] = [];
    for (let one = node; one !== null; one = one.parent) script.push(one.change);
    script.reverse();
    const preemptions = node === null ? bounds.preemptions : node.preemptions;
    const kills = node === null ? (bounds.kills ?? 0) : node.kills;
    const free: Policy = (at, running) => {
      const budget = (running === null ? 99 : running.index) * 10_000 + preemptions * 100 + kills;
      if (!machine.enter(seen, budget)) return 'prune';
      const left = running === null ? preemptions : preemptions - 1;
      // what the run itself goes on with: the running role, or the first of those that can
      const others = left < 0 ? [] : running === null ? othersThan(null).slice(1) : othersThan(running);
      for (const role of others) {
        open.push({ parent: node, change: { at, to: role.index, kills: false }, preemptions: left, kills });
      }
      if (kills > 0 && running?.mortal() === true) {
        open.push({ parent: node, change: { at, to: -1, kills: true }, preemptions, kills: kills - 1 });
      }
      return null;
    };
    new Run(scenario, contended, followed(script, free), result).go();
    result.schedules++;
  }
  result.states = seen.size;
  result.complete = open.length === 0;
  return result.failure !== null || contendedWords().reduce((sum, one) => sum + one, 0) === known;
}

/** One run of a scenario under a policy. */
class Run {
  private readonly scenario: Scenario;
  private readonly contended: Uint8Array | null;
  private readonly policy: Policy;
  private readonly result: Exploration;
  private readonly switches: Switch[];
  private readonly trace: string[];
  private decisions: number;
  private accesses: number;
  private next: Switch | null;
  private pruned: boolean;

  constructor(scenario: Scenario, contended: Uint8Array | null, policy: Policy, result: Exploration) {
    this.scenario = scenario;
    this.contended = contended;
    this.policy = policy;
    this.result = result;
    this.switches = [];
    this.trace = [];
    this.decisions = 0;
    this.accesses = 0;
    this.next = null;
    this.pruned = false;
  }

  go(): void {
    machine.reset(this.scenario.buffers);
    machine.decide = (role, site, address) => this.point(role, site, address);
    try {
      for (const { name, main, mortal, when } of this.scenario.begin()) {
        machine.spawnRole(name, main, mortal ?? (() => false), when ?? null);
      }
      while (this.step());
      machine.current = null;
      if (!this.pruned) this.scenario.end();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const schedule = this.switches.map(({ at, to, kills }) => `${at}${kills ? '!' : ':'}${to}`).join(' ');
      const states = machine.roles.map(({ name, state }) => `${name} ${state}`).join(', ');
      const trace = [...this.trace, `end: ${states}`];
      this.result.failure = { message: `${message}\nschedule ${schedule}\n${trace.join('\n')}`, schedule, trace };
    }
    machine.current = null;
    this.result.accesses += this.accesses;
  }

  /** Lets the running role go on until it stops. False at the end. */
  private step(): boolean {
    let role = machine.current;
    if (role === null || !machine.isEnabled(role)) {
      const enabled = othersThan(null);
      if (enabled.length === 0) return false;
      let chosen = enabled[0]!;
      if (enabled.length > 1) {
        const choice = this.policy(this.decisions++, null);
        if (choice === 'prune') {
          this.pruned = true;
          return false;
        }
        if (choice !== null) {
          this.switches.push(choice);
          chosen = machine.roles[choice.to]!;
        }
      }
      this.trace.push(`  ${chosen.name} goes on`);
      role = chosen;
    }
    machine.current = role;
    const { done } = role.steps.next();
    if (done === true) role.state = 'finished';
    if (this.pruned) return false;
    const { next } = this;
    this.next = null;
    if (next === null) return true;
    if (next.kills) role.state = 'dead';
    machine.current = next.to < 0 ? null : machine.roles[next.to]!;
    return true;
  }

  private point(role: Role, site: number, address: number): boolean {
    this.accesses++;
    const at = this.decisions++; // counted for every access, so that a schedule means the same whatever is contended
    if (this.accesses > MAX_ACCESSES) throw new Error(`${role.name} does not end (${machine.sites[site]})`);
    if (this.contended !== null && this.contended[address] === 0) return false;
    const choice = this.policy(at, role);
    if (choice === null) return false;
    if (choice === 'prune') {
      this.pruned = true;
      return true;
    }
    this.switches.push(choice);
    const where = `${role.name} before ${machine.sites[site]} of ${machine.nameOf(address)}`;
    const whom = choice.to < 0 ? '' : `${machine.roles[choice.to]!.name} goes on`;
    this.trace.push(choice.kills ? `  ${where}: killed` : `  ${where}: ${whom}`);
    this.next = choice;
    return true;
  }
}
