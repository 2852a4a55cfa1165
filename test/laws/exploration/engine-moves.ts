/**
 * What an engine does, step by step, and a crash after each: gather, write under the lock, begin, send,
 * hear how it ended, settle. What is written is what the production judges say.
 */
import { brokenByCrossing, limitUsed } from './laws.ts';
import { atTarget, circumstancesOf, LIMIT_AFTER, withRow, withWork, type Move } from './step.ts';
import type { Phase } from './clock.ts';
import { clockOf, type Flaw, type Rules } from './setting.ts';
import type { Ending, Knowledge } from './judged.ts';
import { givenAt, HUMANS, PEOPLE, withGiven, type Circumstances } from './subject.ts';
import { IDLE, type Row, type Seen, type Work, type World } from './world.ts';

interface Step {
  readonly list: Move[];
  readonly rules: Rules;
  readonly world: World;
  readonly engine: number;
  readonly work: Work;
  readonly name: string;
}

/** Adds what this engine can do next. */
export function engineMoves(list: Move[], rules: Rules, world: World, engine: number): void {
  const work = world.engines[engine];
  if (work === undefined) return;
  const step = { list, rules, world, engine, work, name: `Engine ${String(engine + 1)}` };
  switch (work.step) {
    case 'idle':
      for (const index of world.rows.keys()) addGathering(step, index);
      return;
    case 'gathered':
      addWriting(step, work);
      if (rules.controls === 'fleeting') addFleeting(step, work);
      break;
    case 'crossed':
      addBeginning(step);
      break;
    case 'sending':
      addSending(step);
      break;
    case 'sent':
      addHearing(step);
      break;
    case 'ended':
      addSettling(step);
      break;
    default:
      work.step satisfies never;
  }
  list.push({ label: `${step.name} crashes.`, world: withWork(world, engine, IDLE) });
}

// ---------------------------------------------------------------- to the transaction

/** Each transaction may find the agent, Tom or the epoch changed since its engine gathered. */
function addFleeting(step: Step, work: Work): void {
  for (const changed of fleeting(step, work.action)) addWriting(changed, work);
  const name = `Another epoch is active, and ${step.name}`;
  addWriting({ ...step, name }, { ...work, oldEpoch: true });
}

function addGathering(step: Step, index: number): void {
  addGatheringIn(step, index);
  if (step.rules.controls === 'kept') return;
  for (const changed of fleeting(step, index)) addGatheringIn(changed, index);
}

/** The same step in worlds that a transaction may be in for once. */
function fleeting(step: Step, index: number): readonly Step[] {
  const { rules, world, name } = step;
  const list = [
    { ...step, world: { ...world, revoked: true }, name: `The agent is revoked, and ${name}` },
  ];
  const row = world.rows[index];
  if (rules.approvers === 0 || row === undefined) return list;
  const lost = { ...world, lostRole: true };
  list.push({ ...step, world: lost, name: `Tom is no lead any more, and ${name}` });
  const given = withExpired(row.given, clockOf(rules, world).now);
  if (given !== row.given && row.state === 'held') {
    const before = atTarget(world, index, { given });
    list.push({ ...step, world: before, name: `After approvals that are over, ${name}` });
  }
  return list;
}

/** With a yes of everybody who has given none that counts, from the phase before. */
function withExpired(given: number, now: Phase): number {
  if (now === 0) return given;
  const before = now === 1 ? 0 : 1;
  let all = given;
  for (const [place, person] of PEOPLE.entries()) {
    if (HUMANS[person] === 'requester' || givenAt(given, place) !== undefined) continue;
    all = withGiven(all, place, before);
  }
  return all;
}

function addGatheringIn(step: Step, index: number): void {
  const { list, rules, world, engine, name } = step;
  const row = world.rows[index];
  if (row === undefined || (row.state !== 'new' && row.state !== 'held')) return;
  const where = circumstancesOf(rules, world, index);
  const knowledge = knowledgeOf(rules, row, where);
  const gathered: Work = { ...IDLE, step: 'gathered', action: index, knowledge };
  if (!rules.reduced || knowledge === 'prepared') {
    const work = hasty(rules) ? { ...gathered, seen: seenIn(rules, world) } : gathered;
    const what = knowledge === 'prepared' ? ', and is ready to cross it' : '';
    list.push({
      label: `${name} gathers for action ${String(index + 1)}${what}.`,
      world: withWork(world, engine, work),
    });
    return;
  }
  addWriting(step, gathered);
  // Its first look may have been before the halt that another one would see.
  if (knowledge === 'foreclosed') addWriting(step, { ...gathered, knowledge: 'unprepared' });
}

/** What an engine comes to know that looks now: an unprepared one would start over where it is admitted. */
function knowledgeOf({ production }: Rules, row: Row, where: Circumstances): Knowledge {
  if (production.forecloses(where)) return 'foreclosed';
  const write = production.advance(row.state === 'held', 'unprepared', where);
  return write === undefined ? 'prepared' : 'unprepared';
}

/** The one transaction. */
function addWriting({ list, rules, world, engine, name }: Step, work: Work): void {
  const index = work.action;
  const row = world.rows[index];
  if (row === undefined) return;
  const idle = withWork(world, engine, IDLE);
  const careless = rules.flaw === 'an engine writes although its row moved on';
  const wall = rules.flaw === 'the wall clock is believed whatever it says';
  const stopped = (work.stale && !careless) || (clockOf(rules, world).jumped && !wall);
  const stored = row.state !== 'new';
  const write = stopped
    ? undefined
    : rules.production.advance(stored, work.knowledge, whereOf(rules, world, work));
  if (write === undefined) {
    list.push({ label: `${name} writes nothing, and starts over.`, world: idle });
    return;
  }
  const target = `action ${String(index + 1)}`;
  if (!write.crosses) {
    const change = { state: write.state, asked: write.asks };
    list.push({
      label: `${name} stores ${target} as ${write.state}.`,
      world: withRow(idle, index, change),
    });
    return;
  }
  const written = withRow(idle, index, crossed(rules, world, { row, write }));
  const broken = brokenByCrossing(rules, world, { row, write, oldEpoch: work.oldEpoch });
  const law = broken === undefined ? {} : { broken };
  const waiting: Work = { ...IDLE, step: 'crossed', action: index };
  list.push(
    { label: `${name} crosses ${target}.`, world: withWork(written, engine, waiting), ...law },
    { label: `${name} crosses ${target}, and crashes before it hears so.`, world: written, ...law },
  );
  if (rules.flaw !== 'a request leaves before its crossing is stored') return;
  const early = { travelling: row.travelling + 1, sends: row.sends + 1 };
  list.push({
    label: `${name} sends ${target} ahead of its crossing, and crashes.`,
    world: atTarget(idle, index, early),
    broken: 'law 12: a request leaves without a stored crossing',
  });
}

function crossed(
  rules: Rules,
  world: World,
  { row, write }: { readonly row: Row; readonly write: { consumes: number; reserves: number } },
): Partial<Row> {
  return {
    state: 'executing',
    asked: false,
    consumed: row.consumed | write.consumes,
    crossedAt: clockOf(rules, world).now,
    limit: write.reserves > 0 ? 'reserved' : 'none',
    crossings: row.crossings + 1,
  };
}

/** What the transaction reads: everything now, unless a flaw goes by what was read before. */
function whereOf(rules: Rules, world: World, { action, oldEpoch, seen }: Work): Circumstances {
  const where = { ...circumstancesOf(rules, world, action), newEpoch: oldEpoch };
  const { wall } = clockOf(rules, world);
  return rules.flaw === undefined ? where : { ...where, ...OUTDATED[rules.flaw]?.({ seen, wall }) };
}

const OUTDATED: Readonly<
  Partial<
    Record<Flaw, (known: { readonly seen: Seen; readonly wall: Phase }) => Partial<Circumstances>>
  >
> = {
  'a revocation is read before the lock': ({ seen }) => ({ revoked: seen.revoked }),
  'a crossing is judged by an old epoch': () => ({ newEpoch: false }),
  'the clock is read before the lock': ({ seen }) => ({ now: seen.now }),
  'the wall clock is believed whatever it says': ({ wall }) => ({ now: wall }),
  'roles are read before the lock': ({ seen }) => ({ lostRole: seen.lostRole }),
  'limits are read before the lock': ({ seen }) => ({ limitUsed: seen.limitUsed }),
};

function hasty({ flaw }: Rules): boolean {
  return flaw?.includes('read before the lock') === true;
}

function seenIn(rules: Rules, world: World): Seen {
  return {
    now: clockOf(rules, world).now,
    revoked: world.revoked,
    lostRole: world.lostRole,
    limitUsed: limitUsed(rules, world),
  };
}

// ---------------------------------------------------------------- after the crossing

/** The last question before the first byte. Too late is whatever the engine's clocks say, so it may always be. */
function addBeginning({ list, rules, world, engine, work, name }: Step): void {
  const target = `action ${String(work.action + 1)}`;
  if (rules.production.begins(work.barred, false)) {
    const label = `${name} begins to send ${target}.`;
    const begun = withWork(world, engine, { ...work, step: 'sending' });
    const late = world.halt === 3;
    list.push(
      late
        ? { label, world: begun, broken: 'law 7: a send begins after the halt was acknowledged' }
        : { label, world: begun },
    );
  }
  if (rules.production.begins(work.barred, true)) throw new Error('what is late begins');
  const why = work.barred ? 'is barred from sending' : 'comes too late to send';
  list.push({ label: `${name} ${why} ${target}.`, world: ended(world, engine, 'barred') });
}

function addSending({ list, world, engine, work, name }: Step): void {
  const row = world.rows[work.action];
  if (row === undefined) return;
  const target = `action ${String(work.action + 1)}`;
  const sent = withWork(world, engine, { ...work, step: 'sent' });
  const change = { travelling: row.travelling + 1, sends: row.sends + 1 };
  const label = `The request of ${target} leaves ${name}.`;
  const left = atTarget(sent, work.action, change);
  list.push(
    row.crossings > 0
      ? { label, world: left }
      : { label, world: left, broken: 'law 12: a request leaves without a stored crossing' },
    { label: `${name} cannot reach the target.`, world: ended(world, engine, 'not_executed') },
    {
      label: `${name} fails, and cannot say whether anything left.`,
      world: ended(world, engine, 'unknown'),
    },
  );
}

function addHearing({ list, rules, world, engine, work, name }: Step): void {
  const row = world.rows[work.action];
  if (row === undefined) return;
  if (row.effects > 0) {
    list.push(
      { label: `${name} hears that it succeeded.`, world: ended(world, engine, 'succeeded') },
      { label: `${name} hears that it failed.`, world: ended(world, engine, 'failed') },
    );
  } else if (row.travelling === 0 && row.fenced) {
    list.push({
      label: `${name} hears that the target refused it.`,
      world: ended(world, engine, 'not_executed'),
    });
  }
  const denying = rules.flaw === 'no answer is called not executed';
  list.push({
    label: `${name} hears nothing.`,
    world: ended(world, engine, denying ? 'not_executed' : 'unknown'),
  });
  if (rules.flaw !== 'an engine sends again when no answer came') return;
  list.push({
    label: `${name} hears nothing, and begins again.`,
    world: withWork(world, engine, { ...work, step: 'sending' }),
  });
}

/** What ended otherwise than by its own send is barred, whatever the executor says. */
function ended(world: World, engine: number, outcome: Ending): World {
  const { action, barred } = world.engines[engine] ?? IDLE;
  const known = barred ? 'barred' : outcome;
  return withWork(world, engine, { ...IDLE, step: 'ended', action, outcome: known });
}

function addSettling({ list, rules, world, engine, work, name }: Step): void {
  const row = world.rows[work.action];
  if (row === undefined) return;
  const idle = withWork(world, engine, IDLE);
  const write =
    row.state === 'new' ? undefined : rules.production.change(`settle ${work.outcome}`, row.state);
  const target = `action ${String(work.action + 1)}`;
  if (write === undefined) {
    list.push({ label: `${name} comes too late to settle ${target}.`, world: idle });
    return;
  }
  const frees =
    rules.flaw === 'an unknown outcome frees what it reserved' && write.state === 'unknown';
  const limit = frees ? 'none' : (LIMIT_AFTER[write.limits] ?? row.limit);
  const barred = { consumed: 0, crossings: row.crossings - 1, crossedAt: 0 } as const;
  const change = { state: write.state, limit, ...(write.restores ? barred : {}) };
  const label = write.restores
    ? `${name} stores that ${target} was barred.`
    : `${name} stores ${target} as ${write.state}.`;
  list.push({ label, world: withRow(idle, work.action, change) });
}
