/**
 * Remembers the private state of all objects that can be reached from `roots`, and returns a function that restores it:
 * building a scheduler anew for each schedule would cost more than running it. Shared memory is left alone; variables
 * that closures hold are not seen.
 */
export function rememberState(roots: readonly unknown[]): () => void {
  const seen = new Set<object>();
  const restores: (() => void)[] = [];
  const open: unknown[] = [...roots];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (ArrayBuffer.isView(value)) {
      const array = value as Int32Array;
      if (array.buffer instanceof SharedArrayBuffer) continue;
      const copy = array.slice();
      restores.push(() => array.set(copy));
    } else if (value instanceof Map) {
      const entries = [...value.entries()];
      for (const [, item] of entries) open.push(item);
      restores.push(() => {
        value.clear();
        for (const [key, item] of entries) value.set(key, item);
      });
    } else if (!(value instanceof ArrayBuffer || value instanceof SharedArrayBuffer || Object.isFrozen(value))) {
      const target = value as Record<string, unknown>;
      const keys = Object.keys(target);
      const values = keys.map((key) => target[key]);
      open.push(...values);
      restores.push(() => {
        if (Array.isArray(target)) target.length = keys.length;
        for (let i = 0; i < keys.length; i++) target[keys[i]!] = values[i];
      });
    }
  }
  return () => {
    for (const restore of restores) restore();
  };
}
