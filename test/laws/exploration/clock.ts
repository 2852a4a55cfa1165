/**
 * The clock of the search: three moments that matter, and steps of the wall clock, each read through the
 * production `StoreClock`. What it answers after each event is tabled once, before the search.
 */
import type { Clock } from '../../../src/engine/ports.ts';
import { addMs, instantOf, type Instant } from '../../../src/kernel/instant.ts';
import { StoreClock } from '../../../src/stores/sqlite/store-clock.ts';

/**
 * 0: everything is fresh. 1: approvals given in 0 are at their expiry, and what was posted in 0 is out of
 * its period. 2: the deadline. Each begins exactly at the expiry that it is about.
 */
export type Phase = 0 | 1 | 2;

const START = instantOf(1_800_000_000_000);

/** How long an approval is good, in milliseconds. */
const PHASE_MS = 600_000;

/** The instants at which the phases begin. */
export const PHASES: readonly [Instant, Instant, Instant] = [
  START,
  addMs(START, PHASE_MS),
  addMs(START, 2 * PHASE_MS),
];

/** What a step does to the wall clock. A small one waits; the others are beyond what is believed. */
const STEPS = { none: 0, little: -500, behind: -172_800_000, ahead: 172_800_000 } as const;
type Step = keyof typeof STEPS;

/** One state of the clock. */
export interface ClockState {
  /** What the store's clock says, and whether it says that it jumped. */
  readonly now: Phase;
  readonly jumped: boolean;
  /** What the wall clock says. */
  readonly wall: Phase;
  readonly next: readonly { readonly label: string; readonly to: number }[];
}

interface Hands {
  readonly phase: Phase;
  readonly step: Step;
  readonly stepsLeft: number;
  /** The newest reading that was believed, and what was answered to it. */
  readonly believed: Reading & { readonly now: Instant };
  /** What is answered now. */
  readonly now: Instant;
  readonly jumped: boolean;
}

interface Reading {
  readonly wall: Instant;
  readonly monotonicMs: number;
}

/** Every state that at most `steps` steps lead to; the first is the start. Alike ones are one, unless `wallMatters`. */
export function clockStates(steps: number, wallMatters: boolean): readonly ClockState[] {
  const first: Hands = {
    phase: 0,
    step: 'none',
    stepsLeft: steps,
    believed: { wall: START, monotonicMs: 0, now: START },
    now: START,
    jumped: false,
  };
  const all = [first];
  const index = new Map([[JSON.stringify(first), 0]]);
  const states: ClockState[] = [];
  for (let at = 0; at < all.length; at++) {
    const hands = all[at] ?? first;
    const next = eventsAt(hands).map(({ label, hands: moved }) => {
      const read = readThrough(moved);
      const key = JSON.stringify(read);
      const known = index.get(key);
      if (known !== undefined) return { label, to: known };
      index.set(key, all.length);
      all.push(read);
      return { label, to: all.length - 1 };
    });
    const wall = phaseOf(wallOf(hands));
    states.push({ now: phaseOf(hands.now), jumped: hands.jumped, wall, next });
  }
  return wallMatters ? states : minimal(states);
}

function eventsAt(hands: Hands): { readonly label: string; readonly hands: Hands }[] {
  const { phase, step, stepsLeft } = hands;
  const list: { readonly label: string; readonly hands: Hands }[] = [];
  if (phase < 2) {
    const label =
      phase === 0
        ? 'Time passes: approvals given so far expire.'
        : 'Time passes: the deadline comes.';
    // A small step is caught up by then.
    const caughtUp = step === 'little' ? 'none' : step;
    list.push({ label, hands: { ...hands, phase: phase === 0 ? 1 : 2, step: caughtUp } });
  }
  if (step !== 'none') {
    list.push({ label: 'The wall clock is set right.', hands: { ...hands, step: 'none' } });
  } else if (stepsLeft > 0) {
    const stepped = { ...hands, stepsLeft: stepsLeft - 1 };
    list.push(
      { label: 'The wall clock steps back a little.', hands: { ...stepped, step: 'little' } },
      { label: 'The wall clock steps far back.', hands: { ...stepped, step: 'behind' } },
      { label: 'The wall clock jumps far ahead.', hands: { ...stepped, step: 'ahead' } },
    );
  }
  return list;
}

/**
 * What a transaction reads now. The layer's background reads its clock all the time, so that each event
 * is followed by a reading before the next one. While the clock is not believed, what it answers depends
 * on the last reading that was, and on monotonic time, alone.
 */
function readThrough(hands: Hands): Hands {
  const { believed } = hands;
  let reading: Reading = believed;
  const clock: Clock = {
    now: () => reading.wall,
    monotonicMs: () => reading.monotonicMs,
    sleep: () => Promise.resolve(),
  };
  const store = new StoreClock(clock, believed.now);
  store.read();
  reading = { wall: wallOf(hands), monotonicMs: hands.phase * PHASE_MS };
  const { now, jumped } = store.read();
  return {
    ...hands,
    now,
    jumped: jumped !== undefined,
    believed: jumped === undefined ? { ...reading, now } : believed,
  };
}

function wallOf({ phase, step }: Hands): Instant {
  return addMs(PHASES[phase], STEPS[step]);
}

function phaseOf(instant: Instant): Phase {
  if (instant < PHASES[1]) return 0;
  return instant < PHASES[2] ? 1 : 2;
}

/** States that answer alike now and after every event are one. */
function minimal(states: readonly ClockState[]): readonly ClockState[] {
  let classes = numbered(states.map(({ now, jumped }) => JSON.stringify([now, jumped])));
  for (;;) {
    const before = classes;
    const refined = numbered(
      states.map(({ next }, at) => {
        const ways = new Set(next.map(({ to }) => before[to]));
        // An event that changes nothing is no event.
        ways.delete(before[at]);
        return JSON.stringify([before[at], [...ways].sort((left = 0, right = 0) => left - right)]);
      }),
    );
    if (new Set(refined).size === new Set(before).size) break;
    classes = refined;
  }
  return representatives(states, classes);
}

function numbered(keys: readonly string[]): number[] {
  const known = new Map<string, number>();
  return keys.map((key) => {
    const number = known.get(key) ?? known.size;
    known.set(key, number);
    return number;
  });
}

function representatives(
  states: readonly ClockState[],
  classes: readonly number[],
): readonly ClockState[] {
  return [...new Set(classes)].map((own) => {
    const state = states[classes.indexOf(own)];
    if (state === undefined) throw new Error('every class has a state');
    const ways = new Map<number, string>();
    for (const { label, to } of state.next) {
      const into = classes[to] ?? 0;
      if (into !== own && !ways.has(into)) ways.set(into, label);
    }
    return { ...state, next: [...ways].map(([to, label]) => ({ label, to })) };
  });
}
