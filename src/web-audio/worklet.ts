import { CaptureStream } from './capture-stream.js';
import { PlaybackStream } from './playback-stream.js';
import { CAPTURE_PROCESSOR, ENDED, PLAYBACK_PROCESSOR } from './worklet-names.js';

// Runs in an AudioWorkletGlobalScope: no `performance`, no `Atomics.wait`. The build makes it one file without imports.

declare const currentFrame: number;
declare function registerProcessor(name: string, processor: unknown): void;
declare class AudioWorkletProcessor {
  readonly port: { postMessage(message: string): void };
}

type Ports = readonly (readonly Float32Array[])[];
interface NodeOptions<Setup> {
  readonly processorOptions: Setup;
}

class PlaybackProcessor extends AudioWorkletProcessor {
  private readonly stream: PlaybackStream;
  private over: boolean;

  constructor(options: NodeOptions<ConstructorParameters<typeof PlaybackStream>[0]>) {
    super();
    this.stream = new PlaybackStream(options.processorOptions);
    this.over = false;
  }

  process(_inputs: Ports, outputs: Ports): boolean {
    if (this.over) return false;
    if (this.stream.render(outputs, currentFrame)) return true;
    this.over = true;
    this.port.postMessage(ENDED);
    return false;
  }
}

class CaptureProcessor extends AudioWorkletProcessor {
  private readonly stream: CaptureStream;
  private over: boolean;

  constructor(options: NodeOptions<ConstructorParameters<typeof CaptureStream>[0]>) {
    super();
    this.stream = new CaptureStream(options.processorOptions);
    this.over = false;
  }

  /** The one output is silent: it is there for the block's length, and to be pulled. */
  process(inputs: Ports, outputs: Ports): boolean {
    if (this.over) return false;
    if (this.stream.capture(inputs, outputs[0]![0]!.length, currentFrame)) return true;
    this.over = true;
    this.port.postMessage(ENDED);
    return false;
  }
}

/** Once per context: a page with two copies of this package loads two such files. */
function register(name: string, processor: unknown): void {
  try {
    registerProcessor(name, processor);
  } catch (error) {
    if ((error as Error).name !== 'NotSupportedError') throw error;
  }
}

register(PLAYBACK_PROCESSOR, PlaybackProcessor);
register(CAPTURE_PROCESSOR, CaptureProcessor);
