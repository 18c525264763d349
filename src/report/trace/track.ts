/**
 * Events of the Trace Event Format, as Chrome wrote it and Perfetto reads it: what each has to look like so that both
 * show it. Slices of one thread must nest: Perfetto drops or misplaces those that overlap. A flow begins and ends in the slice
 * that was opened last on its thread, so its event stands right behind that slice's.
 */

export type Args = Readonly<Record<string, unknown>>;

/** One slice of a track. */
export interface Slice {
  readonly name: string;
  readonly category: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly colour?: string | undefined;
  readonly args?: Args | undefined;
  /** Arrows that leave and arrive at its start. */
  readonly flowsOut?: readonly number[] | undefined;
  readonly flowIn?: number | undefined;
}

interface Instant {
  readonly name: string;
  readonly category: string;
  readonly atUs: number;
  readonly args?: Args | undefined;
}

/** Colours by the names that Chrome's viewer reserves; Perfetto colours by the slice's name. */
export const COLOUR_GOOD = 'good';
export const COLOUR_BAD = 'bad';
export const COLOUR_TERRIBLE = 'terrible';
export const COLOUR_GREY = 'grey';

/** Collects events in any order and writes them in order of time. */
export class TraceEvents {
  private readonly metadata: string[];
  private readonly timed: { readonly atUs: number; readonly text: string }[];
  private readonly tracks: Track[];
  private readonly processes: Map<number, number>;

  constructor() {
    this.metadata = [];
    this.timed = [];
    this.tracks = [];
    this.processes = new Map();
  }

  process(pid: number, name: string): void {
    this.processes.set(pid, 0);
    this.metadata.push(JSON.stringify({ ph: 'M', name: 'process_name', pid, tid: 0, args: { name } }));
    this.metadata.push(JSON.stringify({ ph: 'M', name: 'process_sort_index', pid, tid: 0, args: { sort_index: pid } }));
  }

  /** A new track of a process, shown below those that it has. */
  track(pid: number, name: string): Track {
    const tid = (this.processes.get(pid) ?? 0) + 1;
    this.processes.set(pid, tid);
    // process and thread numbers share one space in Perfetto: no two threads may have the same
    const track = new Track(this, pid, pid * 1000 + tid);
    this.metadata.push(JSON.stringify({ ph: 'M', name: 'thread_name', pid, tid: track.tid, args: { name } }));
    this.metadata.push(
      JSON.stringify({ ph: 'M', name: 'thread_sort_index', pid, tid: track.tid, args: { sort_index: tid } }),
    );
    this.tracks.push(track);
    return track;
  }

  add(atUs: number, event: Args): void {
    if (Number.isFinite(atUs)) this.timed.push({ atUs, text: JSON.stringify(event) });
  }

  counter(pid: number, name: string, atUs: number, value: number): void {
    this.add(atUs, { ph: 'C', name, pid, ts: atUs, args: { value } });
  }

  /** All events, in order of time; those of one moment in the order in which they were added. */
  texts(): string[] {
    // the beginning of an arrow stands before its end, also where both have the same microsecond
    this.tracks.sort((a, b) => Number(b.beginsFlows) - Number(a.beginsFlows));
    for (const track of this.tracks) track.write();
    this.timed.sort((a, b) => a.atUs - b.atUs);
    return [...this.metadata, ...this.timed.map(({ text }) => text)];
  }
}

/** One line of the picture: slices that nest, and instants. */
export class Track {
  readonly pid: number;
  readonly tid: number;
  beginsFlows: boolean;
  private readonly events: TraceEvents;
  private readonly slices: Slice[];
  private readonly instants: Instant[];

  constructor(events: TraceEvents, pid: number, tid: number) {
    this.events = events;
    this.pid = pid;
    this.tid = tid;
    this.beginsFlows = false;
    this.slices = [];
    this.instants = [];
  }

  slice(slice: Slice): void {
    if (!Number.isFinite(slice.startUs) || !Number.isFinite(slice.endUs)) return;
    this.slices.push(slice);
    if (slice.flowsOut !== undefined) this.beginsFlows = true;
  }

  instant(name: string, category: string, atUs: number, args?: Args): void {
    this.instants.push({ name, category, atUs, args });
  }

  write(): void {
    const { events, pid, tid } = this;
    // of two that begin together the longer one is around the other
    this.slices.sort((a, b) => a.startUs - b.startUs || b.endUs - a.endUs);
    const open: number[] = [];
    for (const { name, category, startUs, endUs, colour, args, flowsOut, flowIn } of this.slices) {
      while (open.length > 0 && open[open.length - 1]! <= startUs) open.pop();
      const within = open.length === 0 ? Number.POSITIVE_INFINITY : open[open.length - 1]!;
      // what reaches out of the slice that it began in is cut: two clocks' rounding, or a dead worker's last job
      const end = Math.min(Math.max(endUs, startUs), within);
      open.push(end);
      const event = { ph: 'X', name, cat: category, pid, tid, ts: startUs, dur: end - startUs };
      events.add(startUs, { ...event, ...(colour === undefined ? {} : { cname: colour }), args: args ?? {} });
      const flow = { cat: 'submit', name: 'submit', pid, tid, ts: startUs };
      for (const id of flowsOut ?? []) events.add(startUs, { ph: 's', id, ...flow });
      if (flowIn !== undefined) events.add(startUs, { ph: 'f', bp: 'e', id: flowIn, ...flow });
    }
    for (const { name, category, atUs, args } of this.instants) {
      events.add(atUs, { ph: 'i', s: 't', name, cat: category, pid, tid, ts: atUs, args: args ?? {} });
    }
  }
}

/** Tracks for slices that may overlap: each goes to the first track that is free at its start. */
export class TrackGroup {
  private readonly events: TraceEvents;
  private readonly pid: number;
  private readonly name: string;
  private readonly maxTracks: number;
  private readonly rows: { readonly track: Track; freeFromUs: number }[];

  constructor(events: TraceEvents, pid: number, name: string, maxTracks = 8) {
    this.events = events;
    this.pid = pid;
    this.name = name;
    this.maxTracks = maxTracks;
    this.rows = [];
  }

  /** In order of their starts. Where all tracks are taken, the last one shows it cut. */
  trackFor(startUs: number, endUs: number): Track {
    let row = this.rows.find(({ freeFromUs }) => freeFromUs <= startUs);
    if (row === undefined && this.rows.length < this.maxTracks) {
      const name = this.rows.length === 0 ? this.name : `${this.name} (${this.rows.length + 1})`;
      row = { track: this.events.track(this.pid, name), freeFromUs: 0 };
      this.rows.push(row);
    }
    row ??= this.rows[this.rows.length - 1]!;
    row.freeFromUs = Math.max(row.freeFromUs, endUs);
    return row.track;
  }
}
