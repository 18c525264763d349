import { task, u32 } from '../../../dist/web.js';

// A lane that draws into a canvas of the page: each picture is one colour, which tells its number.

/** @type {OffscreenCanvasRenderingContext2D | WebGL2RenderingContext} */
let brush;
let received = 0;

export function initialize({ shared }) {
  if (shared.withoutWaitAsync) Object.assign(Atomics, { waitAsync: undefined });
  if (shared.isEager) shared.canvas.getContext('2d');
  const canvas = Object.getOwnPropertyDescriptor(shared, 'canvas')?.value;
  if (canvas !== undefined) brush = canvas.getContext(shared.kind ?? '2d');
  if (shared.port === undefined) return;
  shared.port.onmessage = ({ data }) => {
    received += data;
    shared.port.postMessage(received);
  };
}

export const draw = task({
  input: { number: u32, us: u32 },
  output: { number: u32 },
  run(input, output, context) {
    const { number } = input;
    const { width, height } = context.shared.canvas;
    const start = performance.now();
    const rgb = [(number & 15) * 16 + 8, ((number >> 4) & 15) * 16 + 8, ((number >> 8) & 15) * 16 + 8];
    if (brush instanceof OffscreenCanvasRenderingContext2D) {
      brush.fillStyle = `rgb(${rgb})`;
      brush.fillRect(0, 0, width, height);
    } else {
      brush.clearColor(rgb[0] / 255, rgb[1] / 255, rgb[2] / 255, 1);
      brush.clear(brush.COLOR_BUFFER_BIT);
    }
    while ((performance.now() - start) * 1000 < input.us);
    output.number = number;
  },
});

/** Ends its own thread, and never returns. */
export const die = task({
  input: {},
  run() {
    self.close();
    for (;;);
  },
});
