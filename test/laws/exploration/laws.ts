/** What the laws of DESIGN section 7 forbid, judged on the truth of a world and never on what the engine believes. */
import type { AdvanceWrite } from './judged.ts';
import { givenAt, HUMANS, PEOPLE } from './subject.ts';
import { clockOf, type Rules } from './setting.ts';
import type { Row, World } from './world.ts';

/** The laws that a search holds; 12 beside those that the issue of the search names. */
export const LAWS = [3, 4, 5, 7, 8, 10, 11, 12] as const;

/** The first law that this world breaks, in a sentence. */
export function brokenIn(rules: Rules, world: World): string | undefined {
  const open = world.rows.filter(({ state }) => state === 'executing' || state === 'unknown');
  if (open.length > 1 && rules.effectKeys === 'one') {
    return 'law 3: two actions with one effect key are past the boundary';
  }
  for (const [index, row] of world.rows.entries()) {
    const broken = brokenBy(row) ?? brokenByAbsence(world, index);
    if (broken !== undefined) return broken;
  }
  return brokenLimit(rules, world);
}

function brokenBy(row: Row): string | undefined {
  if (row.crossings > 1) return 'law 3: an action crosses twice';
  if (row.sends > 1) return 'law 4: a second request leaves for one crossing';
  if (row.word) return undefined;
  if (row.state === 'not_executed' && row.effects > 0) {
    return 'law 5: what happened is called not executed';
  }
  if (row.state === 'succeeded' && row.effects === 0) {
    return 'law 5: what did not happen is called succeeded';
  }
  return undefined;
}

/** What is called not executed cannot happen any more. */
function brokenByAbsence({ rows, engines }: World, index: number): string | undefined {
  const row = rows[index];
  if (row?.state !== 'not_executed' || row.word || row.fenced) return undefined;
  const pending = engines.some(
    ({ action, step }) => action === index && (step === 'crossed' || step === 'sending'),
  );
  return row.travelling > 0 || pending
    ? 'law 5: an outcome is called not executed while the request may still arrive'
    : undefined;
}

function brokenLimit(rules: Rules, world: World): string | undefined {
  if (limitUsed(rules, world) > rules.limit) {
    return 'law 11: posted, reserved and unknown together exceed the limit';
  }
  const { now } = clockOf(rules, world);
  const happened = world.rows.filter(
    ({ state, effects, crossedAt, word }) =>
      state === 'executing' ||
      state === 'unknown' ||
      (effects > 0 && crossedAt === now && !(word && state === 'not_executed')),
  );
  return happened.length > rules.limit
    ? 'law 11: more may have happened in a period than the limit allows'
    : undefined;
}

/** What the store has counted: time alone frees what was posted, and never what is open. */
export function limitUsed(rules: Rules, world: World): number {
  const { now } = clockOf(rules, world);
  return world.rows.filter(
    ({ limit, crossedAt }) =>
      limit === 'reserved' || limit === 'unknown' || (limit === 'posted' && crossedAt === now),
  ).length;
}

/** The law that a crossing of this row breaks, happening now. */
export function brokenByCrossing(
  rules: Rules,
  world: World,
  crossing: {
    readonly row: Row;
    readonly write: NonNullable<AdvanceWrite>;
    readonly oldEpoch: boolean;
  },
): string | undefined {
  const { now, jumped } = clockOf(rules, world);
  const { row, write, oldEpoch } = crossing;
  if (jumped) return 'law 8: a crossing while the clock cannot be believed';
  if (now === 2) return 'law 8: a crossing at the deadline';
  if (world.revoked) return 'law 7: a crossing after the revocation was acknowledged';
  if (oldEpoch) return 'law 7: a crossing by an epoch that is over';
  if (world.halt > 0) return 'law 7: a crossing after the halt was stored';
  const consumed = PEOPLE.filter((_, place) => ((write.consumes >>> place) & 1) === 1);
  if (consumed.some((person) => givenAt(row.given, PEOPLE.indexOf(person)) !== now)) {
    return 'law 8: a crossing at the expiry of an approval';
  }
  const humans = new Set(consumed.map((person) => HUMANS[person]));
  if (humans.has('requester')) return 'law 10: who requests is counted as an approver';
  if (humans.size < rules.approvers) return 'law 10: one person is counted as two';
  return world.lostRole && humans.has('tom')
    ? 'law 10: an approver is counted who is not entitled any more'
    : undefined;
}
