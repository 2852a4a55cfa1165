/**
 * Everything that can happen next. What the engine does is in `engine-moves.ts`; here is what happens
 * around it: time, people, halts, the target, and executions whose engine is lost.
 */
import { sendTransition } from '../../../src/engine/transition.ts';
import { engineMoves } from './engine-moves.ts';
import { clockOf, type Rules } from './setting.ts';
import type { ChangeName } from './judged.ts';
import { atTarget, circumstancesOf, LIMIT_AFTER, withRow, type Move } from './step.ts';
import { PEOPLE, withGiven } from './subject.ts';
import { wordOfWork, type Row, type Work, type World } from './world.ts';

/** Every world that one move leads to. */
export function moves(rules: Rules, world: World): readonly Move[] {
  const list: Move[] = [];
  addTime(list, rules, world);
  addControls(list, rules, world);
  addHalt(list, rules, world);
  for (const [index, row] of world.rows.entries()) {
    if (row.state === 'held') addPeople(list, rules, { world, row, index });
    addTarget(list, { world, row, index });
    addRecovery(list, rules, { world, row, index });
  }
  const seen = new Set<number>();
  for (const [engine, work] of world.engines.entries()) {
    // What two engines alike can do next is alike too.
    const word = wordOfWork(work);
    if (rules.reduced && seen.has(word)) continue;
    seen.add(word);
    engineMoves(list, rules, world, engine);
  }
  return list;
}

// ---------------------------------------------------------------- time, directory, epoch, halt

function addTime(list: Move[], rules: Rules, world: World): void {
  for (const { label, to } of clockOf(rules, world).next) {
    list.push({ label, world: { ...world, clock: to } });
  }
}

function addControls(list: Move[], rules: Rules, world: World): void {
  if (rules.controls === 'fleeting') return;
  if (!world.revoked) {
    list.push({ label: 'The agent is revoked.', world: { ...world, revoked: true } });
  }
  if (!world.lostRole && rules.approvers > 0) {
    list.push({ label: 'Tom is no lead any more.', world: { ...world, lostRole: true } });
  }
  if (!world.newEpoch) {
    const engines = world.engines.map((work) =>
      work.step === 'gathered' ? { ...work, oldEpoch: true } : work,
    );
    list.push({
      label: 'Another epoch is active.',
      world: { ...world, newEpoch: true, engines },
    });
  }
}

/**
 * A halt is committed, then told to every engine, which bars what it does not send yet, then waits until
 * each crossing is decided. Telling them one after the other adds nothing: an engine that is told later
 * is one that begins just before it is told.
 */
function addHalt(list: Move[], rules: Rules, world: World): void {
  const early = rules.flaw === 'a halt is acknowledged before every send is decided';
  if (world.halt === 0) {
    list.push({ label: 'A halt is stored.', world: { ...world, halt: 1 } });
  } else if (world.halt === 1 && !early) {
    const engines = world.engines.map((work) => ({ ...work, barred: isBarredNow(work) }));
    list.push({
      label: 'The halt bars what is not being sent.',
      world: { ...world, halt: 2, engines },
    });
  } else if (early || !world.engines.some(({ step }) => step === 'crossed')) {
    if (world.halt < 3) {
      list.push({ label: 'The halt is acknowledged.', world: { ...world, halt: 3 } });
    }
  }
}

/** What a halt finds: a crossing that waits is barred, and one whose send began goes on. */
function isBarredNow({ step, barred }: Work): boolean {
  if (step === 'crossed') return sendTransition(barred ? 'barred' : 'waiting', 'bar') === 'barred';
  if (step === 'sending' || step === 'sent') return sendTransition('sending', 'bar') === 'barred';
  return barred;
}

// ---------------------------------------------------------------- people

interface At {
  readonly world: World;
  readonly row: Row;
  readonly index: number;
}

function addPeople(list: Move[], rules: Rules, { world, row, index }: At): void {
  const { jumped, now } = clockOf(rules, world);
  const name = `action ${String(index + 1)}`;
  const withdrawn = rules.production.change('withdraw', 'held');
  if (withdrawn !== undefined) {
    const change = { state: withdrawn.state };
    list.push({ label: `The agent withdraws ${name}.`, world: withRow(world, index, change) });
  }
  // A store whose clock jumped takes no answers, and an action that nobody is asked about has no asks.
  if (jumped || !row.asked) return;
  const where = circumstancesOf(rules, world, index);
  for (const [person, who] of PEOPLE.entries()) {
    if (!rules.production.approves(person, where)) continue;
    const change = {
      given: withGiven(row.given, person, now),
      consumed: row.consumed & ~(1 << person),
    };
    list.push({
      label: `${capitalised(who)} approves ${name}.`,
      world: withRow(world, index, change),
    });
  }
  if (rules.production.rejects(0, where)) {
    const change = { state: 'rejected' } as const;
    list.push({ label: `Mei rejects ${name}.`, world: withRow(world, index, change) });
  }
}

function capitalised(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

// ---------------------------------------------------------------- the target, and who looks there

function addTarget(list: Move[], { world, row, index }: At): void {
  if (row.travelling === 0) return;
  const name = `action ${String(index + 1)}`;
  const travelling = row.travelling - 1;
  const gone = { travelling };
  list.push({ label: `The request of ${name} is lost.`, world: atTarget(world, index, gone) });
  // The target refuses what comes after its fence: nothing happens, as if it were lost.
  if (row.fenced) return;
  const arrived = { travelling, effects: row.effects + 1 };
  list.push({
    label: `The request of ${name} arrives, and takes effect.`,
    world: atTarget(world, index, arrived),
  });
}

function addRecovery(list: Move[], rules: Rules, { world, row, index }: At): void {
  const name = `action ${String(index + 1)}`;
  const change = (label: string, what: ChangeName, more: Partial<Row> = {}): void => {
    const write = row.state === 'new' ? undefined : rules.production.change(what, row.state);
    if (write === undefined) return;
    const limit = LIMIT_AFTER[write.limits] ?? row.limit;
    const changed = { state: write.state, limit, ...more };
    list.push({ label, world: withRow(world, index, changed) });
  };
  if (row.state === 'executing' && canBeLost(rules, world, index)) {
    const label = `The execution of ${name} is called lost.`;
    if (rules.flaw === 'a lost execution is tried again') {
      const again = { state: 'held', consumed: 0, limit: 'none' } as const;
      list.push({ label, world: withRow(world, index, again) });
    } else if (rules.flaw === 'an unknown outcome frees what it reserved') {
      change(label, 'lose', { limit: 'none' });
    } else {
      change(label, 'lose');
    }
  }
  if (row.state !== 'unknown') return;
  if (row.effects > 0) change(`Evidence says that ${name} succeeded.`, 'evidence succeeded');
  const trusting = rules.flaw === 'absence is believed while a request travels';
  if (row.effects === 0 && (row.fenced || trusting)) {
    change(`Evidence says that ${name} was not executed.`, 'evidence not_executed');
  } else if (row.effects === 0) {
    list.push({
      label: `The target is made to refuse ${name} from now on.`,
      world: atTarget(world, index, { fenced: true }),
    });
  }
  change(`A person says that ${name} succeeded.`, 'word succeeded', { word: true });
  change(`A person says that ${name} failed.`, 'word failed', { word: true });
  change(`A person says that ${name} was not executed.`, 'word not_executed', { word: true });
}

/** Its engine is gone, or another engine finds its lease over: a lease proves nothing about its engine. */
function canBeLost(rules: Rules, world: World, index: number): boolean {
  const working = world.engines.some(
    ({ step, action }) => step !== 'idle' && step !== 'gathered' && action === index,
  );
  return !working || rules.engines > 1;
}
