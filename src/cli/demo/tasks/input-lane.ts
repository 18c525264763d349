import type { Clock } from '../../../base/time.js';
import { clockSince } from '../../../host/node/clock.js';
import { StreamRing } from '../../../ring/stream-ring.js';
import type { RecordProducer } from '../../../ring/stream-ring-records.js';
import { PARAMETERS } from '../audio/parameters.js';
import { EventMapper } from '../events/mapping.js';
import { EVENT_RECORD_WORDS } from '../events/record.js';
import { CONTROL, StageControl } from '../stage/control.js';
import type { Stage } from '../stage/stage.js';

/** The input lane's state on its one worker: plays the recording back in time, as a device would deliver it. */
export class InputLane {
  private readonly control: StageControl;
  private readonly clock: Clock;
  private readonly mapper: EventMapper;
  private readonly changes: RecordProducer;
  private readonly records: Int32Array;
  private readonly recordFloats: Float32Array;
  private readonly timesUs: Float64Array;
  private next: number;
  private startUs: number;

  constructor(stage: Stage) {
    this.control = new StageControl(stage.control);
    this.clock = clockSince(stage.epochUs);
    this.mapper = new EventMapper(PARAMETERS);
    this.changes = StreamRing.attach(stage.changes, 'records').producer();
    this.records = new Int32Array(stage.events.records);
    this.recordFloats = new Float32Array(stage.events.records);
    this.timesUs = new Float64Array(stage.events.timesUs);
    this.next = 0;
    this.startUs = -1;
  }

  /**
   * Sends on what is due: parameter changes to the audio lane, the events to the picture. Where the audio lane is behind
   * and its ring full, events wait for the next period; none is lost. Allocates nothing (but a name for unusual keys).
   */
  release(): void {
    if (this.startUs < 0) {
      this.startUs = this.control.startUs();
      if (this.startUs < 0) return;
    }
    const { timesUs } = this;
    const nowUs = this.clock.nowPreciseUs() - this.startUs;
    let next = this.next;
    while (next < timesUs.length && timesUs[next]! <= nowUs && this.send(next)) next++;
    if (next === this.next) return;
    this.next = next;
    this.control.store(CONTROL.releasedEvents, next); // release
  }

  private send(event: number): boolean {
    const { mapper, changes } = this;
    const count = mapper.mapRecord(this.records, this.recordFloats, event * EVENT_RECORD_WORDS);
    if (changes.writableRecords() < count) return false;
    for (let i = 0; i < count; i++) {
      const at = changes.beginWrite();
      changes.memory.i32[at >> 2] = mapper.parameters[i]!;
      changes.memory.f64[(at >> 3) + 1] = mapper.values[i]!;
      changes.commitWrite();
    }
    return true;
  }
}
