/** What every move is made of: what a transaction reads in a world, and what is written into the next one. */
import { limitUsed } from './laws.ts';
import { clockOf, type Rules } from './setting.ts';
import type { Circumstances } from './subject.ts';
import type { Row, Work, World } from './world.ts';

/** A next world, in a sentence, with the law that the move itself breaks. */
export interface Move {
  readonly label: string;
  readonly world: World;
  readonly broken?: string;
}

/** What a change makes of a reservation; absent: it stays. */
export const LIMIT_AFTER: Readonly<
  Record<'keep' | 'post' | 'void' | 'unknown', Row['limit'] | undefined>
> = { keep: undefined, post: 'posted', void: 'none', unknown: 'unknown' };

/** What a transaction about this action reads under its lock. */
export function circumstancesOf(rules: Rules, world: World, index: number): Circumstances {
  const row = world.rows[index];
  return {
    now: clockOf(rules, world).now,
    halted: world.halt > 0,
    revoked: world.revoked,
    lostRole: world.lostRole,
    newEpoch: false,
    given: row?.given ?? 0,
    consumed: row?.consumed ?? 0,
    occupant: seesOccupants(rules) ? occupantOf(world, index) : 'none',
    limitUsed: limitUsed(rules, world),
    ignorance: ignoranceOf(rules),
  };
}

function seesOccupants({ effectKeys, flaw }: Rules): boolean {
  return effectKeys === 'one' && flaw !== 'an engine overlooks who is at the same effect';
}

function ignoranceOf({ flaw }: Rules): Circumstances['ignorance'] {
  if (flaw === 'aliases are not known') return 'aliases';
  return flaw === 'the owners of the agent are not known' ? 'owners' : 'none';
}

/** Who is before it at the same effect, as the stores answer: of held ones, only those that came before. */
function occupantOf({ rows }: World, own: number): Circumstances['occupant'] {
  let found: Circumstances['occupant'] = 'none';
  for (const [index, { state }] of rows.entries()) {
    if (index === own) continue;
    if (state === 'executing') return 'executing';
    if (state === 'unknown') found = 'unknown';
    if (state === 'held' && index < own && found === 'none') found = 'held';
  }
  return found;
}

/** Writes a row: its revision moves, so that who gathered for it before holds a stale one. */
export function withRow(world: World, index: number, change: Partial<Row>): World {
  const engines = world.engines.map((work) =>
    work.step === 'gathered' && work.action === index ? { ...work, stale: true } : work,
  );
  return { ...atTarget(world, index, change), engines };
}

/** Changes what is true at the target; no row is written. */
export function atTarget(world: World, index: number, change: Partial<Row>): World {
  const rows = world.rows.map((row, at) => (at === index ? { ...row, ...change } : row));
  return { ...world, rows };
}

/** Gives an engine other work. */
export function withWork(world: World, engine: number, work: Work): World {
  return { ...world, engines: world.engines.map((each, at) => (at === engine ? work : each)) };
}
