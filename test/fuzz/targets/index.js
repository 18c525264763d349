// What is fuzzed. A target gets any bytes and must end, with nothing thrown but errors of this package that have a code.
import { EventEmitter } from 'node:events';
import { parseCompareOptions } from '../../../dist/cli/compare/options.js';
import { decodeWav, memorySource } from '../../../dist/cli/demo/audio/wav-reader.js';
import { formatEvents, parseEvents } from '../../../dist/cli/demo/events/event-file.js';
import { parseDemoOptions } from '../../../dist/cli/demo/options.js';
import { parseDoctorOptions } from '../../../dist/cli/doctor/options.js';
import { parseReportOptions } from '../../../dist/cli/report/options.js';
import { parseTopOptions } from '../../../dist/cli/top/options.js';
import { TelemetryClientConnection } from '../../../dist/host/node/telemetry-connection.js';
import { writeLiteral } from '../../../dist/memory/literals.js';
import { describeSchema, layoutSchema, schemaFromDescription } from '../../../dist/memory/schema-layout.js';
import { bufferViews, readLiteral, ViewFactory } from '../../../dist/memory/views.js';
import { parseHlog } from '../../../dist/report/hlog-reader.js';
import { htmlReport } from '../../../dist/report/html/html-report.js';
import { parseTelemetry } from '../../../dist/report/parse-telemetry.js';
import { prometheusText } from '../../../dist/report/prometheus.js';
import { telemetryOfHlog } from '../../../dist/report/telemetry-of-hlog.js';
import { parseTrace } from '../../../dist/report/telemetry-of-trace.js';
import { AudioClock } from '../../../dist/ring/audio-clock.js';
import { JobRing, JobRingProducer, jobRingBytes } from '../../../dist/ring/job-ring.js';
import { JobScanner } from '../../../dist/ring/job-scanner.js';
import { StreamRing } from '../../../dist/ring/stream-ring.js';

const textOf = (bytes) => Buffer.from(bytes).toString('utf8');
const seed = (text) => Buffer.from(text, 'utf8');

/** Words at the start of a shared buffer; the rest is 0. */
function sharedFrom(bytes, byteLength) {
  const buffer = new SharedArrayBuffer(byteLength);
  new Uint8Array(buffer).set(bytes.subarray(0, byteLength));
  return buffer;
}

function streamHeader(options) {
  return new Uint8Array(new Uint8Array(StreamRing.allocate(options).buffer).subarray(0, 1024));
}

const schema = {
  seeds: [
    seed(
      '[{"name":"x","kind":"scalar","type":"f64"},{"name":"p","kind":"array","type":"u8","length":9}]\n{"x":1.5,"p":[1,2,3]}',
    ),
    seed('[{"name":"b","kind":"bytes","length":16},{"name":"i","kind":"scalar","type":"i32"}]\n{"b":[1],"i":-1}'),
  ],
  words: [
    '"name"',
    '"kind"',
    '"scalar"',
    '"array"',
    '"bytes"',
    '"type"',
    '"f32"',
    '"u32"',
    '"length"',
    '__proto__',
    '1e9',
    '-1',
  ],
  run(bytes) {
    const [first = '', second = 'null'] = textOf(bytes).split('\n');
    let description;
    let literal;
    try {
      description = JSON.parse(first);
      literal = JSON.parse(second, (_, value) =>
        Array.isArray(value) && value.length < 9 ? Uint8Array.from(value) : value,
      );
    } catch {
      return;
    }
    const fields = schemaFromDescription(description);
    const layout = layoutSchema(fields, 'fuzzed');
    if (layout.byteLength > 1_000_000) return;
    const again = schemaFromDescription(describeSchema(fields));
    if (layoutSchema(again, 'fuzzed').byteLength !== layout.byteLength)
      throw new Error('a description changes its schema');
    const memory = sharedFrom(bytes, Math.max(8, Math.ceil(layout.byteLength / 8) * 8));
    const view = new ViewFactory(layout).create(bufferViews(memory), 0);
    readLiteral(view);
    writeLiteral(view, literal, 'fuzzed');
    const plain = readLiteral(view);
    writeLiteral(view, plain, 'fuzzed');
    if (JSON.stringify(readLiteral(view)) !== JSON.stringify(plain))
      throw new Error('what was written is read as another');
  },
};

const stream = {
  seeds: [
    streamHeader({ kind: 'f32', channels: 2, capacitySampleFrames: 16 }),
    streamHeader({ kind: 'bytes', capacityBytes: 100 }),
    streamHeader({ kind: 'records', recordBytes: 16, capacityRecords: 8 }),
  ],
  words: [],
  run(bytes) {
    const buffer = sharedFrom(bytes, 4096);
    const ring = StreamRing.attach(buffer);
    const producer = ring.producer({ takeOver: true });
    const consumer = ring.consumer({ takeOver: true });
    // the header changes under the roles
    new Uint8Array(buffer).set(bytes.subarray(1024, 2048));
    const guard = (act) => {
      try {
        return act();
      } catch (error) {
        if (error?.code === undefined) throw error;
        return undefined;
      }
    };
    for (let round = 0; round < 2; round++) {
      if (ring.kind === 'f32') {
        const samples = new Float32Array(64 * ring.itemSize);
        guard(() => producer.push(samples, 0, 64));
        guard(() => consumer.pull(samples, 0, 64));
        const planes = [new Float32Array(128), new Float32Array(128)];
        guard(() => producer.pushPlanar(planes, 0, 128));
        guard(() => consumer.pullPlanar(planes, 0, 128));
        const opened = guard(() => producer.beginWrite(1000)) ?? 0;
        guard(() => producer.commitWrite(opened));
      } else if (ring.kind === 'bytes') {
        const data = new Uint8Array(64);
        guard(() => producer.write(data, 0, 64));
        guard(() => consumer.read(data, 0, 64));
      } else {
        guard(() => producer.beginWrite());
        guard(() => producer.commitWrite());
        guard(() => consumer.beginRead());
        guard(() => consumer.commitRead());
      }
      ring.counts();
      guard(() => consumer.ended());
    }
  },
};

const clock = {
  seeds: [
    new Uint8Array(
      new Uint8Array(
        AudioClock.allocate(StreamRing.allocate({ kind: 'f32', channels: 1, capacitySampleFrames: 64 }), 16).buffer,
      ),
    ),
  ],
  words: [],
  run(bytes) {
    const ring = StreamRing.allocate({ kind: 'f32', channels: 1, capacitySampleFrames: 64 });
    const words = AudioClock.attach(sharedFrom(bytes, AudioClock.allocate(ring, 16).buffer.byteLength));
    const due = words.blocksDue(ring.producer(), 8);
    if (!(due >= 0 && due <= 8)) throw new Error(`${due} blocks of 8 are due in a ring of 64`);
    words.state();
    words.deviceSampleFrameOf(1, 2);
    words.setTargetDepthSampleFrames(8);
  },
};

const jobRing = {
  seeds: [new Uint8Array(2048)],
  words: [],
  run(bytes) {
    const { strideBytes, bytes: byteLength } = jobRingBytes(8, 16);
    const buffer = sharedFrom(bytes, byteLength);
    const ring = new JobRing({ buffer, capacitySlots: 8, strideBytes, periodic: false });
    const producer = new JobRingProducer(ring);
    const scanner = new JobScanner(ring);
    const turn = () => {
      const slot = producer.reserve();
      if (slot >= 0) producer.publish(slot, 3, 0, 0, 0, 0, 1, 1, 2);
      for (let i = 0; i < 20 && scanner.look(i % 2 === 0); i++) scanner.claim(0);
      scanner.anyReady();
    };
    turn();
    new Uint8Array(buffer).set(bytes.subarray(1024, 2048));
    turn();
    turn();
  },
};

const events = {
  seeds: [
    seed('{"type":"pointer","timeUs":0,"x":1,"y":2,"buttons":0}\n'),
    seed('{"type":"key","timeUs":5,"key":"a","down":true}\n'),
  ],
  words: ['"type"', '"timeUs"', '"x"', '"key"', '"pointer"', '\ufeff', '\r\n', 'null', '1e400'],
  run(bytes) {
    const parsed = parseEvents(bytes, 'fuzzed');
    const again = parseEvents(seed(formatEvents(parsed)), 'fuzzed');
    if (JSON.stringify(again) !== JSON.stringify(parsed))
      throw new Error('events that were written are read as others');
  },
};

function wavOf(bits, format) {
  const header = Buffer.alloc(44 + 16);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + 16, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(format, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(48_000, 24);
  header.writeUInt32LE((48_000 * bits) / 8, 28);
  header.writeUInt16LE(bits / 8, 32);
  header.writeUInt16LE(bits, 34);
  header.write('data', 36);
  header.writeUInt32LE(16, 40);
  return header;
}

const wav = {
  seeds: [wavOf(16, 1), wavOf(32, 3), wavOf(24, 1)],
  words: ['RIFF', 'WAVE', 'fmt ', 'data', 'LIST', 'fact', 'RF64'],
  run(bytes) {
    decodeWav(memorySource(bytes, 'fuzzed'), { maxDecodedBytes: 1 << 24 });
  },
};

const options = {
  seeds: [
    'demo\0--load\0' + '2\0--seconds\0' + '3',
    'top\0/tmp/a.sock\0--every\0' + '100',
    'report\0a.json\0--out\0-',
    'doctor\0--json',
    'compare\0a\0b',
  ].map(seed),
  words: [
    'demo',
    'doctor',
    'top',
    'report',
    'compare',
    '--help',
    '--seconds',
    '--load',
    '--priority',
    '--prometheus',
    '--out',
    '\0',
    '-',
    '=',
    '1e9',
  ],
  run(bytes) {
    const [command, ...args] = textOf(bytes).split('\0');
    const parse = {
      demo: parseDemoOptions,
      doctor: parseDoctorOptions,
      top: parseTopOptions,
      report: parseReportOptions,
      compare: parseCompareOptions,
    };
    if (Object.hasOwn(parse, command)) parse[command](args);
  },
};

const socket = {
  seeds: [
    '{"id":1,"get":"telemetry"}\n',
    '{"id":"a","get":"window","records":false}\n{"get":"misses"}\n',
    '{"get":"trace"}\n',
  ].map(seed),
  words: ['"get"', '"id"', '"telemetry"', '"window"', '"misses"', '\n', '__proto__', '[[[['],
  run(bytes) {
    const peer = new EventEmitter();
    let written = 0;
    Object.assign(peer, {
      destroyed: false,
      pause() {},
      resume() {},
      destroy() {
        peer.destroyed = true;
      },
      write(text, done) {
        written += text.length;
        JSON.parse(text);
        done();
      },
      end(text) {
        written += text.length;
        JSON.parse(text);
        peer.destroyed = true;
        peer.emit('close');
      },
    });
    const connection = new TelemetryClientConnection(
      peer,
      { answer: (request) => ({ got: String(request.get) }) },
      { waitMs: () => 0, took() {} },
    );
    connection.begin('{}\n');
    for (let at = 0; at < bytes.length && !peer.destroyed; at += 100)
      peer.emit('data', Buffer.from(bytes.subarray(at, at + 100)));
    peer.emit('close');
    if (written > 1000 + bytes.length * 20) throw new Error(`${written} bytes were answered to ${bytes.length}`);
  },
};

const telemetry = {
  seeds: [
    seed(
      '{"schemaVersion":1,"fromUs":0,"toUs":1,"toUnixMs":1,"environment":{},"lanes":[],"loops":[],"workers":[],"misses":[],"missesOverwritten":0,"frames":[],"framesOverwritten":0}',
    ),
  ],
  words: [
    '"lanes"',
    '"tasks"',
    '"misses"',
    '"cause"',
    '"environment"',
    '"buckets"',
    '[]',
    'null',
    '__proto__',
    '<script>',
  ],
  run(bytes) {
    const parsed = parseTelemetry(textOf(bytes));
    htmlReport(parsed);
    prometheusText(parsed);
  },
};

const hlog = {
  seeds: [
    seed(
      '#[Histogram log format version 1.3]\n"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n0.1,1.0,2.0,HISTFAAAABx4nJNpmSzMwMDAxAABzFCaEUoz2X+AsQA\n',
    ),
  ],
  words: ['#[StartTime: 1 (seconds since epoch)]', 'Tag=', 'HISTFAAA', '\n', ',', 'NaN'],
  run(bytes) {
    htmlReport(telemetryOfHlog(parseHlog(textOf(bytes))));
  },
};

const trace = {
  seeds: [
    seed('{"traceEvents":[{"ph":"X","name":"render.tile","ts":1,"dur":2,"pid":1,"tid":1,"args":{}}],"otherData":{}}'),
  ],
  words: ['"ph"', '"X"', '"args"', '"ts"', '"name"', '"traceEvents"', '1e308', 'null'],
  run(bytes) {
    htmlReport(parseTrace(textOf(bytes)));
  },
};

export const TARGETS = { schema, stream, clock, jobRing, events, wav, options, socket, telemetry, hlog, trace };
