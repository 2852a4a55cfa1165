/** The sorts of keys. One sort never works as another; the prefix says which it claims to be. */

/** Who calls: an agent proposes, a person answers, an executor redeems permits, the operator runs the layer. */
export const KEY_SORTS = ['agent', 'person', 'executor', 'operator'] as const;

/** One of {@link KEY_SORTS}. */
export type KeySort = (typeof KEY_SORTS)[number];

const KEY = /^exq_(agent|person|executor|operator)_[A-Za-z0-9_-]{43}$/u;

/** The sort a key claims by its form, or `undefined` where it is no key of ours. Proves nothing. */
export function keySortOf(key: string): KeySort | undefined {
  const sort = KEY.exec(key)?.[1];
  return KEY_SORTS.find((each) => each === sort);
}
