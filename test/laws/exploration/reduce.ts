/**
 * Worlds that differ only in what can make no difference are one. Each rule says why it is sound; a test
 * searches small settings without them too, and finds no state that the reduced search leaves out.
 *
 * - Engines are alike: they are put in order. Actions are not: of two held ones the older goes first.
 * - Where controls are `fleeting`, whether the agent is revoked, Tom has lost his role or another epoch
 *   is active is no part of a state, but chosen anew at each transaction that reads it. That allows more
 *   than could happen, never less: a loss that stays is the same choice each time.
 * - An engine that gathered for a row that has changed since can only start over: its store answers
 *   `stale`, and nothing is written. It is idle.
 * - An engine whose look came to nothing but a hold or a denial is idle until it writes it: what it
 *   writes is judged on what is read under its lock alone, so that looking and writing are one move.
 * - Where controls are `fleeting`, an approval that is over is dropped, and each transaction is also
 *   tried as if everybody who could have said yes before had done so.
 * - Who answers is not asked again once an action is past being held, and its approvals are given back
 *   only where it is barred.
 * - What was posted in an earlier phase is out of its period; of a crossing in an earlier phase only
 *   that matters.
 * - What failed and what succeeded are over alike, with what each took of the limit; this operation may
 *   be done again after either. Denied, rejected, withdrawn and expired are over without a crossing.
 * - Mei's accounts are one person's, and nothing else tells them apart.
 */
import { givenAt, PEOPLE } from './subject.ts';
import { clockOf, type Rules } from './setting.ts';
import { IDLE, type Row, type Work, type World } from './world.ts';

const MEI = PEOPLE.indexOf('mei');
const MIA = PEOPLE.indexOf('mia');

/** The one world that stands for all that are like it. */
export function reduce(rules: Rules, world: World): World {
  const { now } = clockOf(rules, world);
  const rows = world.rows.map((row) => reduceRow(rules, row, now));
  const engines = world.engines.map((work) => reduceWork(rules, work));
  const reduced = { ...world, rows, engines };
  return rules.controls === 'kept'
    ? reduced
    : { ...reduced, revoked: false, lostRole: false, newEpoch: false };
}

function reduceWork({ controls }: Rules, work: Work): Work {
  if (work.step === 'gathered') {
    // Under fleeting controls what an old epoch does is tried in the move that makes it old.
    const old = work.oldEpoch && controls === 'fleeting';
    return work.stale || old || work.knowledge !== 'prepared' ? IDLE : work;
  }
  return work;
}

function reduceRow(rules: Rules, row: Row, now: number): Row {
  switch (row.state) {
    case 'new':
      return row;
    case 'held':
      return withApprovals(rules, row, now);
    case 'executing':
      return { ...withApprovals(rules, row, now), asked: false, crossedAt: relative(row, now) };
    case 'unknown':
      return { ...over(row), crossedAt: relative(row, now) };
    case 'succeeded':
    case 'failed':
    case 'not_executed': {
      const aged = row.limit === 'posted' && row.crossedAt !== now;
      const state = row.state === 'not_executed' ? 'not_executed' : 'succeeded';
      const limit = aged ? 'none' : row.limit;
      return { ...over(row), state, limit, crossedAt: relative(row, now) };
    }
    case 'denied':
    case 'rejected':
    case 'withdrawn':
    case 'expired':
      return { ...over(row), state: 'denied', crossedAt: 0 };
    default:
      return row.state satisfies never;
  }
}

function over(row: Row): Row {
  return row.given === 0 && row.consumed === 0 && !row.asked
    ? row
    : { ...row, given: 0, consumed: 0, asked: false };
}

/** In this phase, or earlier: 0 stands for all that is earlier. */
function relative({ crossedAt }: Row, now: number): Row['crossedAt'] {
  return crossedAt === now ? crossedAt : 0;
}

function withApprovals({ controls }: Rules, row: Row, now: number): Row {
  if (row.given === 0) return row;
  let { given, consumed } = row;
  if (controls === 'fleeting') {
    for (const place of PEOPLE.keys()) {
      if (givenAt(given, place) === now) continue;
      given &= ~(3 << (2 * place));
      consumed &= ~(1 << place);
    }
  }
  const mei = (given >>> (2 * MEI)) & 3;
  const mia = (given >>> (2 * MIA)) & 3;
  // The later yes is told as Mei's.
  if (mia <= mei) return { ...row, given, consumed };
  given =
    (given & ~((3 << (2 * MEI)) | (3 << (2 * MIA)))) | (mia << (2 * MEI)) | (mei << (2 * MIA));
  const used = [(consumed >>> MEI) & 1, (consumed >>> MIA) & 1] as const;
  consumed = (consumed & ~((1 << MEI) | (1 << MIA))) | (used[1] << MEI) | (used[0] << MIA);
  return { ...row, given, consumed };
}
