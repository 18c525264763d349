import { FrameDeadlineError } from '../../../base/errors.js';
import type { DemoEvent } from './event.js';
import { decodeEvent, EVENT_KIND, EVENT_WORD, recordIsDown } from './record.js';

/** One parameter of the audio chain, in its own unit. */
export interface ParameterTableEntry {
  readonly id: number;
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly default: number;
}
export type ParameterTable = readonly ParameterTableEntry[];

export interface ParameterChange {
  /** A `ParameterTableEntry.id` */
  parameter: number;
  /** In the parameter's unit, within its range. */
  value: number;
}

/** Which parameter each control turns, by name. */
export interface ControlNames {
  readonly pointerX: string;
  readonly pointerY: string;
  readonly homeRow: string;
  readonly upperRow: string;
}

export const DEFAULT_CONTROLS: ControlNames = {
  pointerX: 'eq.mid.frequency',
  pointerY: 'eq.mid.gain',
  homeRow: 'compressor.threshold',
  upperRow: 'output.gain',
};

const HOME_ROW = 'asdfghjkl';
const UPPER_ROW = 'qwertyuiop';
/** What the controls reach of their parameter's range: what sounds well, so that no gesture is unpleasant. */
const POINTER_MIN_HZ = 40;
const POINTER_MAX_HZ = 16_000;
const POINTER_SPAN_DB = 12;
const HOME_ROW_MIN_DB = -42;
const HOME_ROW_MAX_DB = -6;
const UPPER_ROW_SPAN_DB = 18;

/**
 * What events do to the sound. Pointer x is the frequency of the equaliser's peak (40 Hz to 16 kHz, logarithmic, as
 * the picture's bars), pointer y its gain (12 dB at the top to -12 dB); a key of the home row, while held, sets the
 * compressor's threshold (`a` -42 dB to `l` -6 dB), one of the upper row lowers the output gain (`q` by 18 dB, `p` by
 * 1.8), and letting go returns to the default. Other keys change nothing. Values stay within the parameter's range.
 *
 * The constructor looks the parameters up; `map` and `mapRecord` allocate nothing (but `mapRecord` decodes a key).
 */
export class EventMapper {
  /** How many of `parameters` and `values` the last call filled. */
  count: number;
  readonly parameters: Int32Array;
  readonly values: Float64Array;
  private readonly pointerX: ParameterTableEntry;
  private readonly pointerY: ParameterTableEntry;
  private readonly homeRow: ParameterTableEntry;
  private readonly upperRow: ParameterTableEntry;

  /** @throws FrameDeadlineError `OPTION_INVALID` where `table` lacks a parameter that `controls` names. */
  constructor(table: ParameterTable, controls: ControlNames = DEFAULT_CONTROLS) {
    this.count = 0;
    this.parameters = new Int32Array(2);
    this.values = new Float64Array(2);
    this.pointerX = findParameter(table, controls.pointerX);
    this.pointerY = findParameter(table, controls.pointerY);
    this.homeRow = findParameter(table, controls.homeRow);
    this.upperRow = findParameter(table, controls.upperRow);
  }

  /** Fills `parameters` and `values` with the event's changes and returns how many: 0 to 2. */
  map(event: DemoEvent): number {
    if (event.type === 'pointer') this.mapPointer(event.x, event.y);
    else this.mapKey(event.key, event.down);
    return this.count;
  }

  /** As `map`, from a record in shared memory (record.ts). */
  mapRecord(words32: Int32Array, f32: Float32Array, base: number): number {
    this.count = 0;
    const kind = words32[base + EVENT_WORD.kind];
    if (kind === EVENT_KIND.pointer) {
      this.mapPointer(f32[base + EVENT_WORD.x]!, f32[base + EVENT_WORD.y]!);
    } else if (kind === EVENT_KIND.key) {
      const event = decodeEvent(words32, f32, base);
      if (event?.type === 'key') this.mapKey(event.key, recordIsDown(words32, base));
    }
    return this.count;
  }

  private mapPointer(x: number, y: number): void {
    const { pointerX, pointerY } = this;
    this.parameters[0] = pointerX.id;
    this.values[0] = clampTo(pointerX, POINTER_MIN_HZ * (POINTER_MAX_HZ / POINTER_MIN_HZ) ** x);
    this.parameters[1] = pointerY.id;
    this.values[1] = clampTo(pointerY, POINTER_SPAN_DB * (1 - 2 * y));
    this.count = 2;
  }

  private mapKey(key: string, down: boolean): void {
    this.count = 0;
    if (key.length !== 1) return;
    const home = HOME_ROW.indexOf(key);
    if (home >= 0) {
      const { homeRow } = this;
      const held = HOME_ROW_MIN_DB + ((HOME_ROW_MAX_DB - HOME_ROW_MIN_DB) * home) / (HOME_ROW.length - 1);
      this.parameters[0] = homeRow.id;
      this.values[0] = down ? clampTo(homeRow, held) : homeRow.default;
      this.count = 1;
      return;
    }
    const upper = UPPER_ROW.indexOf(key);
    if (upper >= 0) {
      const { upperRow } = this;
      const held = upperRow.default - UPPER_ROW_SPAN_DB * (1 - upper / UPPER_ROW.length);
      this.parameters[0] = upperRow.id;
      this.values[0] = down ? clampTo(upperRow, held) : upperRow.default;
      this.count = 1;
    }
  }
}

/** What `event` changes, as a new array. Convenience: looks the parameters up each time; per-event code uses `EventMapper`. */
export function mapEventToChanges(event: DemoEvent, table: ParameterTable, controls?: ControlNames): ParameterChange[] {
  const mapper = new EventMapper(table, controls);
  const changes: ParameterChange[] = [];
  const count = mapper.map(event);
  for (let i = 0; i < count; i++) changes.push({ parameter: mapper.parameters[i]!, value: mapper.values[i]! });
  return changes;
}

function findParameter(table: ParameterTable, name: string): ParameterTableEntry {
  for (const entry of table) if (entry.name === name) return entry;
  throw new FrameDeadlineError(
    'OPTION_INVALID',
    `no parameter is called "${name}"; expected one of ${table.map((entry) => entry.name).join(', ') || 'at least one'}`,
  );
}

function clampTo(entry: ParameterTableEntry, value: number): number {
  return Math.min(entry.max, Math.max(entry.min, value));
}
