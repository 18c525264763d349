// Owns the canvas that the page handed over, and shows each picture as it becomes ready, also while the page is busy. Not
// a worker of the scheduler: those block between jobs, and a browser presents a worker's canvas only when the worker
// returns to its event loop. Nor does the canvas die with one of them.
import { HEIGHT, PIXEL_BYTES, PRESENTED_FRAME, WIDTH } from './stage.js';

/** @typedef {(pixels: Uint8Array) => void} Show */

const VERTICES = `#version 300 es
  out vec2 place;
  void main() { // one triangle that covers all; row 0 of the picture is its top
    place = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0;
    gl_Position = vec4(place.x * 2.0 - 1.0, 1.0 - place.y * 2.0, 0, 1);
  }`;
const FRAGMENTS = `#version 300 es
  precision mediump float;
  uniform sampler2D picture;
  in vec2 place;
  out vec4 colour;
  void main() { colour = texture(picture, place); }`;

/** Shared memory straight into a texture: no copy in JavaScript. @param {WebGL2RenderingContext} gl @returns {Show} */
function showWithWebGl(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of /** @type {const} */ ([
    [gl.VERTEX_SHADER, VERTICES],
    [gl.FRAGMENT_SHADER, FRAGMENTS],
  ])) {
    const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(`WebGL: ${gl.getProgramInfoLog(program)}`);
  gl.useProgram(program);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, WIDTH, HEIGHT);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  return (pixels) => {
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, WIDTH, HEIGHT, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  };
}

/** An ImageData takes no shared memory: one copy. @param {OffscreenCanvasRenderingContext2D} brush @returns {Show} */
function showWithImageData(brush) {
  const image = new ImageData(WIDTH, HEIGHT);
  return (pixels) => {
    image.data.set(pixels);
    brush.putImageData(image, 0, 0);
  };
}

/** @param {OffscreenCanvas} canvas */
function showOn(canvas) {
  const gl = canvas.getContext('webgl2', { antialias: false });
  if (gl !== null) return showWithWebGl(gl);
  const brush = canvas.getContext('2d');
  if (brush === null) throw new Error('this browser draws nothing in workers');
  return showWithImageData(brush);
}

self.onmessage = async (/** @type {MessageEvent} */ { data }) => {
  const words = new Int32Array(data.stage.words);
  const pictures = [0, 1].map((n) => new Uint8Array(data.stage.drawn, n * PIXEL_BYTES, PIXEL_BYTES));
  const show = showOn(data.canvas);
  for (let shown = 0; ; ) {
    const frame = Atomics.load(words, PRESENTED_FRAME); // acquire
    if (frame === shown) await Atomics.waitAsync(words, PRESENTED_FRAME, shown).value;
    else {
      show(/** @type {Uint8Array} */ (pictures[frame & 1]));
      shown = frame;
      // a turn of the event loop, even if the next picture is ready: the browser presents then
      await new Promise((turn) => setTimeout(turn));
    }
  }
};
