import { f64, task, u32 } from 'frame-deadline';

/** Builds a tree of small objects and adds it up, as a layout, a scene or a parser does: all of it is garbage afterwards. */
function tree(depth, seed) {
  if (depth === 0) return { value: seed & 255, left: null, right: null };
  return { value: seed & 255, left: tree(depth - 1, seed * 3 + 1), right: tree(depth - 1, seed * 5 + 2) };
}

function sum(node) {
  return node === null ? 0 : node.value + sum(node.left) + sum(node.right);
}

/** About 40 bytes times 2 ** (depth + 1). */
export const layout = task({
  input: { depth: u32, seed: u32 },
  output: { sum: f64 },
  run(input, output) {
    output.sum = sum(tree(input.depth, input.seed));
  },
});
