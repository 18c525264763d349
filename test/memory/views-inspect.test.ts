import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { bytes, f32 } from '../../src/memory/fields.js';
import { writeLiteral } from '../../src/memory/literals.js';
import { layoutSchema } from '../../src/memory/schema-layout.js';
import { bufferViews, ViewFactory } from '../../src/memory/views.js';

it('views show their values when Node prints them', () => {
  const layout = layoutSchema({ x: f32, packet: bytes(4) }, 'input of task "tile"');
  const view = new ViewFactory(layout).create(bufferViews(new SharedArrayBuffer(layout.byteLength)), 0);
  writeLiteral(view, { x: 1.5, packet: new Uint8Array([7]) }, 'tile');
  expect(inspect(view)).toMatch(/x: 1\.5,\s+packet: Uint8Array\(1\) \[ 7 \]/);
});
