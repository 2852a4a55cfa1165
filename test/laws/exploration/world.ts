/**
 * One state of the search as plain data, and as a few whole numbers: what the store's rows say, what each
 * engine has in memory, what is on its way to the target and what happened there.
 */
import type { ActionState } from '../../../src/engine/transition.ts';
import type { Phase } from './clock.ts';
import type { Ending, Knowledge } from './judged.ts';
import { the } from './subject.ts';

/** An action: its row in the store, and the truth at the target. */
export interface Row {
  readonly state: ActionState | 'new';
  /** The newest decision asks people. */
  readonly asked: boolean;
  /** Two bits a person: 0 none, 1 given in phase 0, 2 given in phase 1. */
  readonly given: number;
  /** One bit a person. */
  readonly consumed: number;
  /** The phase of the crossing instant. */
  readonly crossedAt: Phase;
  /** What it takes of the limit. */
  readonly limit: 'none' | 'reserved' | 'unknown' | 'posted';
  /** Crossings that were not barred, and requests that left. */
  readonly crossings: number;
  readonly sends: number;
  /** Requests on their way, and effects at the target. */
  readonly travelling: number;
  readonly effects: number;
  /** The target was made to refuse a late arrival. */
  readonly fenced: boolean;
  /** The row says what a named person said. */
  readonly word: boolean;
}

/** What an engine has in memory; gone at a crash. */
export interface Work {
  readonly step: 'idle' | 'gathered' | 'crossed' | 'sending' | 'sent' | 'ended';
  readonly action: number;
  readonly knowledge: Knowledge;
  /** The row changed since it was gathered for, or another epoch is active. */
  readonly stale: boolean;
  readonly oldEpoch: boolean;
  /** Of a crossing that waits to be sent: a halt barred it. */
  readonly barred: boolean;
  readonly outcome: Ending;
  /** What it read before the lock; only for flaws that go by it. */
  readonly seen: Seen;
}

/** Local facts as they were before the lock. */
export interface Seen {
  readonly now: Phase;
  readonly revoked: boolean;
  readonly lostRole: boolean;
  readonly limitUsed: number;
}

/** The whole. */
export interface World {
  /** Index of the clock's state. */
  readonly clock: number;
  /** 0: none, 1: stored, 2: told to the engines, 3: acknowledged. */
  readonly halt: 0 | 1 | 2 | 3;
  /** Tom is no lead any more; the agent's account is revoked; another epoch is active. */
  readonly lostRole: boolean;
  readonly revoked: boolean;
  readonly newEpoch: boolean;
  readonly rows: readonly Row[];
  readonly engines: readonly Work[];
}

export const NEW: Row = {
  state: 'new',
  asked: false,
  given: 0,
  consumed: 0,
  crossedAt: 0,
  limit: 'none',
  crossings: 0,
  sends: 0,
  travelling: 0,
  effects: 0,
  fenced: false,
  word: false,
};

export const IDLE: Work = {
  step: 'idle',
  action: 0,
  knowledge: 'foreclosed',
  stale: false,
  oldEpoch: false,
  barred: false,
  outcome: 'barred',
  seen: { now: 0, revoked: false, lostRole: false, limitUsed: 0 },
};

/** Nothing is proposed yet. */
export function startWorld(engines: number, actions: number): World {
  return {
    clock: 0,
    halt: 0,
    lostRole: false,
    revoked: false,
    newEpoch: false,
    rows: Array.from({ length: actions }, () => NEW),
    engines: Array.from({ length: engines }, () => IDLE),
  };
}

// ---------------------------------------------------------------- as numbers

const STATES = [
  'new',
  'held',
  'executing',
  'unknown',
  'succeeded',
  'failed',
  'not_executed',
  'denied',
  'rejected',
  'withdrawn',
  'expired',
] as const;
const LIMITS = ['none', 'reserved', 'unknown', 'posted'] as const;
const STEPS = ['idle', 'gathered', 'crossed', 'sending', 'sent', 'ended'] as const;
const KNOWLEDGES = ['foreclosed', 'unprepared', 'prepared'] as const;
const ENDINGS = ['barred', 'succeeded', 'failed', 'not_executed', 'unknown'] as const;

/** Each component as 32 bits: the surroundings, then the actions, then the engines. Nothing is lost. */
export function encode(world: World): number[] {
  const words = [wordOfSurroundings(world)];
  for (const row of world.rows) words.push(wordOfRow(row));
  for (const work of world.engines) words.push(wordOfWork(work));
  return words;
}

/** The world that {@link encode} wrote, with this many actions. */
export function decode(words: ArrayLike<number>, actions: number): World {
  const first = words[0] ?? 0;
  const rows: Row[] = [];
  const engines: Work[] = [];
  for (let at = 1; at <= actions; at++) rows.push(rowOfWord(words[at] ?? 0));
  for (let at = 1 + actions; at < words.length; at++) engines.push(workOfWord(words[at] ?? 0));
  return {
    clock: first >>> 6,
    halt: haltOf((first >>> 3) & 3),
    lostRole: bit(first, 2),
    revoked: bit(first, 1),
    newEpoch: bit(first, 0),
    rows,
    engines,
  };
}

function wordOfSurroundings({ clock, halt, lostRole, revoked, newEpoch }: World): number {
  return ((clock << 6) | (halt << 3) | (+lostRole << 2) | (+revoked << 1) | +newEpoch) >>> 0;
}

function wordOfRow(row: Row): number {
  let word = STATES.indexOf(row.state);
  word = (word << 1) | +row.asked;
  word = (word << 8) | row.given;
  word = (word << 4) | row.consumed;
  word = (word << 2) | row.crossedAt;
  word = (word << 2) | LIMITS.indexOf(row.limit);
  word = (word << 2) | bounded(row.crossings);
  word = (word << 2) | bounded(row.sends);
  word = (word << 2) | bounded(row.travelling);
  word = (word << 2) | bounded(row.effects);
  word = (word << 1) | +row.fenced;
  return ((word << 1) | +row.word) >>> 0;
}

function rowOfWord(word: number): Row {
  return {
    state: the(STATES[word >>> 27]),
    asked: bit(word, 26),
    given: (word >>> 18) & 255,
    consumed: (word >>> 14) & 15,
    crossedAt: phaseOf((word >>> 12) & 3),
    limit: the(LIMITS[(word >>> 10) & 3]),
    crossings: (word >>> 8) & 3,
    sends: (word >>> 6) & 3,
    travelling: (word >>> 4) & 3,
    effects: (word >>> 2) & 3,
    fenced: bit(word, 1),
    word: bit(word, 0),
  };
}

/** The order of these numbers is the order of engines, which are alike. */
export function wordOfWork(work: Work): number {
  let word = STEPS.indexOf(work.step);
  word = (word << 2) | work.action;
  word = (word << 2) | KNOWLEDGES.indexOf(work.knowledge);
  word = (word << 1) | +work.stale;
  word = (word << 1) | +work.oldEpoch;
  word = (word << 1) | +work.barred;
  word = (word << 3) | ENDINGS.indexOf(work.outcome);
  word = (word << 2) | work.seen.now;
  word = (word << 1) | +work.seen.revoked;
  word = (word << 1) | +work.seen.lostRole;
  return ((word << 2) | work.seen.limitUsed) >>> 0;
}

function workOfWord(word: number): Work {
  return {
    step: the(STEPS[word >>> 16]),
    action: (word >>> 14) & 3,
    knowledge: the(KNOWLEDGES[(word >>> 12) & 3]),
    stale: bit(word, 11),
    oldEpoch: bit(word, 10),
    barred: bit(word, 9),
    outcome: the(ENDINGS[(word >>> 6) & 7]),
    seen: {
      now: phaseOf((word >>> 4) & 3),
      revoked: bit(word, 3),
      lostRole: bit(word, 2),
      limitUsed: word & 3,
    },
  };
}

function bit(word: number, place: number): boolean {
  return ((word >>> place) & 1) === 1;
}

/** INVARIANT: more than three of anything that is counted is a broken law long before. */
function bounded(count: number): number {
  if (count < 0 || count > 3) throw new RangeError(`cannot write a count of ${String(count)}`);
  return count;
}

function phaseOf(bits: number): Phase {
  if (bits === 0 || bits === 1 || bits === 2) return bits;
  throw new RangeError(`no phase ${String(bits)}`);
}

function haltOf(bits: number): World['halt'] {
  return bits === 0 || bits === 1 || bits === 2 ? bits : 3;
}
