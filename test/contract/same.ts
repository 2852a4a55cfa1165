/** Equality of what was written and what is read back. */
import assert from 'node:assert/strict';

/** Equal as values: what was read back has no prototypes, and bytes may be of another class. */
export function assertSame(actual: unknown, expected: unknown): void {
  assert.equal(plain(actual), plain(expected));
}

function plain(value: unknown): string {
  return JSON.stringify(value, function (this: unknown, key: string, written: unknown) {
    // A buffer writes itself as an object before it gets here.
    const each: unknown = Object(this)[key] ?? written;
    if (each instanceof Uint8Array) return Buffer.from(each).toString('hex');
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(
      Object.entries(each).sort(([left], [right]) => (left < right ? -1 : 1)),
    );
  });
}
