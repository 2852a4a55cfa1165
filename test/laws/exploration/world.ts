/**
 * A small world around the production transition function and the production `decide`: two engines,
 * two actions with one effect key, a target that may answer late or never, and everything that can
 * happen between. A state is plain data; `moves` gives every next state. What the laws forbid is
 * checked on each by `violations`.
 *
 * A *flaw* breaks one rule of the engine on purpose, so that the search can be seen to find it.
 */
import {
  sendTransition,
  transition,
  type ActionState,
  type SendState,
} from '../../../src/engine/transition.ts';
import type { Verdict } from '../../../src/kernel/decision.ts';

/** What an engine holds in memory of the action it works on; gone at a crash. */
export interface Work {
  readonly action: number;
  readonly step: 'gathered' | 'crossed' | 'sent';
  /** Which epoch it gathered under; after the crossing it no longer matters. */
  readonly epoch: number;
  /** The row's revision is no longer the one it gathered for. */
  readonly stale: boolean;
  /** What it saw of expiry, revocation and halt before the lock: to be read again under it. */
  readonly seen: Local;
  readonly send: SendState;
}

/** One action, as its row says, and what the target knows of it. */
export interface ModelAction {
  readonly state: ActionState | 'new';
  readonly approved: boolean;
  readonly consumed: boolean;
  /** Crossings that were not barred. */
  readonly crossings: number;
  /** Requests on their way, effects at the target, and sends of the newest crossing. */
  readonly travelling: number;
  readonly effects: number;
  readonly sends: number;
  /** The row says by evidence, not by a person's word. */
  readonly byEvidence: boolean;
}

/** What a decision reads locally. */
export interface Local {
  readonly halted: boolean;
  readonly revoked: boolean;
  readonly expired: boolean;
}

/** The whole. `null` is an engine with nothing in hand. */
export interface World extends Local {
  readonly engines: readonly (Work | null)[];
  readonly actions: readonly ModelAction[];
  readonly epoch: number;
  /** What the stop, the revocation and the epoch promised once acknowledged. */
  readonly haltAcknowledged: boolean;
  /** What just happened broke this promise, if any. */
  readonly broken: string;
}

/** A next state, and what led there. */
export interface Move {
  readonly label: string;
  readonly world: World;
}

/** A rule of the engine, broken on purpose. */
export type Flaw =
  | 'none'
  | 'crosses without its row’s revision'
  | 'crosses while the effect is busy'
  | 'crosses under an old epoch'
  | 'sends again after no answer'
  | 'calls absence conclusive while a request travels'
  | 'acknowledges a halt before sends are decided'
  | 'ignores a revocation under the lock'
  | 'reads the clock before the lock'
  | 'sends before the crossing is stored';

/** Judges by the production `decide`; given by the test, which compiles the policy once. */
export type Judge = (question: {
  readonly local: Local;
  readonly approved: boolean;
  readonly occupied: boolean;
}) => Verdict;

/** Everything idle. */
export const START: World = {
  engines: [null, null],
  actions: [fresh(), fresh()],
  epoch: 0,
  halted: false,
  revoked: false,
  expired: false,
  haltAcknowledged: false,
  broken: '',
};

/** Every state that one step leads to. */
export function moves(world: World, judge: Judge, flaw: Flaw): Move[] {
  return [
    ...worldMoves(world, flaw),
    ...world.actions.flatMap((action, index) => actionMoves(world, { action, index }, flaw)),
    ...world.engines.flatMap((work, engine) =>
      work === null ? beginMoves(world, engine) : workMoves({ world, judge, flaw, work, engine }),
    ),
  ];
}

/** The laws that this state breaks, by number. */
export function violations(world: World): string[] {
  const found = world.broken === '' ? [] : [world.broken];
  const open = world.actions.filter(({ state }) => state === 'executing' || state === 'unknown');
  if (open.length > 1) found.push('law 3: two actions with one effect key are past the boundary');
  for (const action of world.actions) {
    if (action.crossings > 1) found.push('law 3: two crossings of one action');
    if (action.sends > 1) found.push('law 4: two sends of one crossing');
    const denied = action.state === 'not_executed' && action.byEvidence;
    if (denied && action.effects > 0) found.push('law 5: called not executed, and it happened');
    const past = ['executing', 'unknown', 'succeeded', 'failed', 'not_executed'];
    if (action.effects > 0 && !past.includes(action.state)) {
      found.push('law 12: an effect without a stored crossing');
    }
  }
  return found;
}

function fresh(): ModelAction {
  return {
    state: 'new',
    approved: false,
    consumed: false,
    crossings: 0,
    travelling: 0,
    effects: 0,
    sends: 0,
    byEvidence: false,
  };
}

// ---------------------------------------------------------------- what happens around the engines

function worldMoves(world: World, flaw: Flaw): Move[] {
  const list: Move[] = [];
  if (!world.expired)
    list.push({ label: 'the deadline passes', world: { ...world, expired: true } });
  if (!world.revoked)
    list.push({ label: 'the agent is revoked', world: { ...world, revoked: true } });
  if (world.epoch === 0)
    list.push({ label: 'a new epoch is active', world: { ...world, epoch: 1 } });
  if (!world.halted) {
    const barred =
      flaw === 'acknowledges a halt before sends are decided'
        ? world.engines
        : world.engines.map(bar);
    list.push({ label: 'a halt is stored', world: { ...world, halted: true, engines: barred } });
  } else if (!world.haltAcknowledged && !world.engines.some(isUndecided(flaw))) {
    list.push({ label: 'the halt is acknowledged', world: { ...world, haltAcknowledged: true } });
  }
  return list;
}

function bar(work: Work | null): Work | null {
  return work?.step === 'crossed' ? { ...work, send: sendTransition(work.send, 'bar') } : work;
}

/** A halt waits for crossings whose send is not decided. */
function isUndecided(flaw: Flaw): (work: Work | null) => boolean {
  if (flaw === 'acknowledges a halt before sends are decided') return () => false;
  return (work) => work?.step === 'crossed' && work.send === 'waiting';
}

function actionMoves(
  world: World,
  { action, index }: { readonly action: ModelAction; readonly index: number },
  flaw: Flaw,
): Move[] {
  const list: Move[] = [];
  const set = (label: string, change: Partial<ModelAction>): void => {
    list.push({
      label: `${label} (action ${String(index)})`,
      world: replace(world, index, change),
    });
  };
  if (action.state === 'held' && !action.approved) {
    set('somebody approves', { approved: true });
  }
  if (action.travelling > 0) {
    set('the request arrives', { travelling: action.travelling - 1, effects: action.effects + 1 });
    set('the request is lost', { travelling: action.travelling - 1 });
  }
  if (action.state === 'unknown') list.push(...evidenceMoves(world, { action, index }, flaw));
  const lost = transition(action.state, { kind: 'lost' });
  if (lost.ok) set('its lease is over', { state: lost.state });
  return list;
}

/** The target is asked. Absence is conclusive only once a late arrival is impossible. */
function evidenceMoves(
  world: World,
  { action, index }: { readonly action: ModelAction; readonly index: number },
  flaw: Flaw,
): Move[] {
  const outcome = action.effects > 0 ? 'succeeded' : 'not_executed';
  const possible =
    action.travelling > 0 ||
    world.engines.some(
      (work) => work?.action === index && work.step === 'crossed' && work.send !== 'barred',
    );
  const conclusive =
    outcome === 'succeeded' ||
    !possible ||
    flaw === 'calls absence conclusive while a request travels';
  const next = transition(action.state, { kind: 'resolved', outcome });
  if (!conclusive || !next.ok) return [];
  const label = `evidence says ${outcome} (action ${String(index)})`;
  return [{ label, world: replace(world, index, { state: next.state, byEvidence: true }) }];
}

// ---------------------------------------------------------------- what an engine does

function beginMoves(world: World, engine: number): Move[] {
  return world.actions.flatMap((action, index) => {
    if (action.state !== 'new' && action.state !== 'held') return [];
    const { halted, revoked, expired } = world;
    const work: Work = {
      action: index,
      step: 'gathered',
      epoch: world.epoch,
      stale: false,
      seen: { halted, revoked, expired },
      send: 'waiting',
    };
    return [
      {
        label: `engine ${String(engine)} gathers for action ${String(index)}`,
        world: hold(world, engine, work),
      },
    ];
  });
}

interface Step {
  readonly world: World;
  readonly judge: Judge;
  readonly flaw: Flaw;
  readonly work: Work;
  readonly engine: number;
}

function workMoves(step: Step): Move[] {
  const { world, work, engine } = step;
  const crash: Move = {
    label: `engine ${String(engine)} crashes`,
    world: hold(world, engine, null),
  };
  if (work.step === 'gathered') return [crash, ...writeMoves(step)];
  if (work.step === 'crossed') return [crash, ...sendMoves(step)];
  return [crash, ...settleMoves(step)];
}

/** The one transaction: everything local is read again under its lock. */
function writeMoves({ world, judge, flaw, work, engine }: Step): Move[] {
  const action = world.actions[work.action];
  if (action === undefined) return [];
  const name = `engine ${String(engine)}`;
  const idle = hold(world, engine, null);
  const movedOn = work.stale && flaw !== 'crosses without its row’s revision';
  const oldEpoch = world.epoch !== work.epoch && flaw !== 'crosses under an old epoch';
  if (movedOn || oldEpoch) return [{ label: `${name} starts over`, world: idle }];
  const expired = flaw === 'reads the clock before the lock' ? work.seen.expired : world.expired;
  const verdict = judge({
    local: {
      halted: world.halted,
      revoked: flaw === 'ignores a revocation under the lock' ? work.seen.revoked : world.revoked,
      expired,
    },
    approved: action.approved && !action.consumed,
    occupied: flaw !== 'crosses while the effect is busy' && isOccupied(world, work.action),
  });
  const from = flaw === 'crosses without its row’s revision' ? 'held' : action.state;
  const next = transition(from, { kind: 'decided', verdict, deadlinePassed: expired });
  if (!next.ok) return [{ label: `${name} gives up`, world: idle }];
  const crosses = next.state === 'executing';
  const written = replace(idle, work.action, {
    state: next.state,
    ...(crosses ? { crossings: action.crossings + 1, sends: 0, consumed: true } : {}),
  });
  if (!crosses) return [{ label: `${name} stores ${next.state}`, world: written }];
  const broken = promise(world, work, action);
  const crossed: Work = { ...AFTER, action: work.action, step: 'crossed', send: 'waiting' };
  const list: Move[] = [
    { label: `${name} crosses`, world: { ...hold(written, engine, crossed), broken } },
    // The commit's answer is lost with the engine: the row stands, and nobody sends.
    { label: `${name} crosses and its answer is lost`, world: { ...written, broken } },
  ];
  if (flaw === 'sends before the crossing is stored') {
    const early = { travelling: action.travelling + 1 };
    list.push({
      label: `${name} sends early and crashes`,
      world: replace(idle, work.action, early),
    });
  }
  return list;
}

/** Which promise a crossing now would break. */
function promise(world: World, work: Work, action: ModelAction): string {
  if (world.expired) return 'law 8: a crossing after the expiry';
  if (world.revoked) return 'law 7: a crossing after the revocation was acknowledged';
  if (world.epoch !== work.epoch) return 'law 7: a crossing on an old epoch';
  if (world.haltAcknowledged) return 'law 7: a crossing after the halt was acknowledged';
  if (action.consumed) return 'law 3: an approval used twice';
  return '';
}

function isOccupied(world: World, own: number): boolean {
  return world.actions.some(
    ({ state }, index) => index !== own && (state === 'executing' || state === 'unknown'),
  );
}

/** The last question, then the first byte; or the execution is barred. */
function sendMoves({ world, work, engine, flaw }: Step): Move[] {
  const action = world.actions[work.action];
  if (action === undefined) return [];
  const name = `engine ${String(engine)}`;
  const list: Move[] = [];
  const sending = sendTransition(work.send, 'begin');
  if (sending === 'sending') {
    const sends = action.sends + 1;
    const sent = replace(world, work.action, { travelling: action.travelling + 1, sends });
    const broken = world.haltAcknowledged ? 'law 7: a send after the halt was acknowledged' : '';
    const again = flaw === 'sends again after no answer' ? 'waiting' : sending;
    list.push({
      label: `${name} sends`,
      world: { ...hold(sent, engine, { ...work, step: 'sent', send: again }), broken },
    });
  }
  // Barred by a halt, or because it comes too late after the crossing instant.
  const next = transition(action.state, { kind: 'barred' });
  const idle = hold(world, engine, null);
  if (!next.ok) return [...list, { label: `${name} lets go`, world: idle }];
  const barred = replace(idle, work.action, {
    state: next.state,
    crossings: action.crossings - 1,
    consumed: false,
  });
  return [...list, { label: `${name} bars its crossing`, world: barred }];
}

function settleMoves({ world, work, engine, flaw }: Step): Move[] {
  const action = world.actions[work.action];
  if (action === undefined) return [];
  const name = `engine ${String(engine)}`;
  const idle = hold(world, engine, null);
  const list: Move[] = [];
  const settle = (outcome: 'succeeded' | 'unknown'): void => {
    const late = action.state === 'unknown' && outcome === 'succeeded';
    const next = transition(
      action.state,
      late ? { kind: 'resolved', outcome } : { kind: 'settled', outcome },
    );
    const change = next.ok ? { state: next.state } : {};
    list.push({ label: `${name} settles ${outcome}`, world: replace(idle, work.action, change) });
  };
  if (action.effects > 0) settle('succeeded');
  settle('unknown');
  if (flaw === 'sends again after no answer') {
    const again = { travelling: action.travelling + 1, sends: action.sends + 1 };
    list.push({
      label: `${name} sends again`,
      world: replace(world, work.action, again),
    });
  }
  return list;
}

/** What no longer matters once the crossing is stored, at one value. */
const AFTER = {
  epoch: 0,
  stale: false,
  seen: { halted: false, revoked: false, expired: false },
} as const;

/** Changes an action's row; whoever gathered for it before now holds a stale one. */
function replace(world: World, index: number, change: Partial<ModelAction>): World {
  const actions = world.actions.map((each, at) => (at === index ? { ...each, ...change } : each));
  const written = change.state !== undefined || change.approved === true;
  const engines = world.engines.map((work) =>
    written && work?.action === index && work.step === 'gathered' ? { ...work, stale: true } : work,
  );
  return { ...world, actions, engines };
}

function hold(world: World, engine: number, work: Work | null): World {
  return { ...world, engines: world.engines.map((each, at) => (at === engine ? work : each)) };
}
