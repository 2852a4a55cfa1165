/**
 * A plan: everything that will be done to a simulated layer, as data made from a seed. A story is
 * shortened by leaving parts of its plan out, so each part must stand alone.
 */
import type { HaltScope } from '../../src/kernel/decision.ts';
import type { Variant } from './boundary.ts';
import { Random } from './random.ts';

/** The engines' names; a plan uses the first ones. */
export const ENGINES = ['engine-a', 'engine-b', 'engine-c'] as const;

/** What is done, at an instant of true time. `of` is the number of a proposal of the plan. */
export type Step = { readonly atMs: number } & (
  | {
      readonly kind: 'propose';
      readonly number: number;
      readonly agent: string;
      readonly delegated: boolean;
      readonly key: string;
      readonly operation: string;
      readonly name: string;
      readonly amount: number;
      readonly deadlineMs: number;
      readonly notBeforeMs: number;
      readonly engine: number;
    }
  | {
      readonly kind: 'answer';
      readonly of: number;
      readonly person: string;
      readonly decision: 'approve' | 'reject';
      /** Between being asked and answering. */
      readonly thinkMs: number;
      /** How often the same answer is sent at once, with one challenge. */
      readonly copies: number;
      readonly engine: number;
    }
  | { readonly kind: 'withdraw'; readonly of: number; readonly engine: number }
  | {
      readonly kind: 'resolve';
      readonly of: number;
      readonly person: string;
      readonly outcome: 'succeeded' | 'failed' | 'not_executed';
      readonly engine: number;
    }
  | {
      readonly kind: 'halt';
      readonly scope: HaltScope;
      /** Until it is ended. */
      readonly forMs: number;
      readonly engine: number;
    }
  | {
      readonly kind: 'revoke';
      readonly account: 'agent' | 'person';
      readonly name: string;
      readonly engine: number;
    }
  | { readonly kind: 'demote'; readonly name: string; readonly engine: number }
  | { readonly kind: 'reload'; readonly variant: Variant; readonly engine: number }
  | { readonly kind: 'crash'; readonly engine: number; readonly downMs: number }
  | { readonly kind: 'stop'; readonly engine: number; readonly downMs: number }
  | { readonly kind: 'freeze'; readonly engine: number; readonly forMs: number }
  | { readonly kind: 'clock'; readonly byMs: number; readonly forMs: number }
  | { readonly kind: 'ready'; readonly value: boolean }
  | { readonly kind: 'move' }
);

/** What goes wrong at the `nth` use of something, from 1. */
export type Fault =
  /** The engine dies before its command reaches the store, or after the commit and before the answer. */
  | {
      readonly kind: 'crash';
      readonly call: 'advance' | 'change' | 'answer' | 'halt';
      readonly nth: number;
      readonly when: 'before' | 'after';
      readonly downMs: number;
    }
  /** The store refuses a command and says that nothing was written. */
  | {
      readonly kind: 'refuse';
      readonly call: 'advance' | 'change' | 'answer';
      readonly nth: number;
      readonly code: 'store_full' | 'store_overloaded';
    }
  /** What becomes of a send. */
  | {
      readonly kind: 'send';
      readonly nth: number;
      readonly how: SendFault;
      readonly lateMs: number;
    }
  | { readonly kind: 'look'; readonly nth: number; readonly how: 'stall' | 'fail' | 'lie' }
  | {
      readonly kind: 'ask';
      readonly call: 'resolve' | 'preview' | 'prepare' | 'fact';
      readonly nth: number;
      readonly how: 'stall' | 'fail';
    };

/** How a send goes wrong. */
export type SendFault =
  | 'lost request'
  | 'lost reply'
  | 'late request'
  | 'late reply'
  | 'doubled'
  | 'refused'
  | 'cut before the first byte'
  | 'says done and is not'
  | 'says refused and did it';

/** Everything that will be done. */
export interface Plan {
  readonly seed: number;
  readonly engines: number;
  /** Each engine's wall clock against the store's. */
  readonly skewMs: readonly number[];
  readonly steps: readonly Step[];
  readonly faults: readonly Fault[];
}

/** How long plans do things. */
export const ACTIVE_MS = 4000;

/** The plan of a seed. */
export function planOf(seed: number): Plan {
  const random = new Random(seed, 'plan');
  const engines = random.pick([1, 1, 2, 3]);
  const proposals = 2 + random.below(5);
  const steps: Step[] = [];
  const proposed: Proposing[] = [];
  for (let number = 0; number < proposals; number++) {
    const fresh = proposal(random, number, engines);
    const earlier = proposed.at(-1);
    // Two agents that want the same are where most goes wrong.
    const { operation, name, amount } = random.chance(40) ? (earlier ?? fresh) : fresh;
    proposed.push({ ...fresh, operation, name, amount });
  }
  for (const each of proposed) steps.push(each, ...answers(random, each, engines));
  for (let count = random.below(5); count > 0; count--) {
    const near = proposed[random.below(proposals)]?.atMs ?? 0;
    const atMs = random.chance(60) ? near + random.below(300) : random.below(ACTIVE_MS);
    steps.push(disturbance(random, engines, atMs));
  }
  const faults = Array.from({ length: random.below(5) }, () => fault(random));
  return {
    seed,
    engines,
    skewMs: ENGINES.map(() => (random.chance(20) ? random.below(201) - 100 : 0)),
    steps: steps.sort((one, other) => one.atMs - other.atMs),
    faults,
  };
}

type Proposing = Extract<Step, { kind: 'propose' }>;

function proposal(random: Random, number: number, engines: number): Proposing {
  const operation = random.pick([
    'pay',
    'pay',
    'pay',
    'refund',
    'refund',
    'deploy',
    'deploy',
    'look',
    'stop',
  ]);
  return {
    kind: 'propose',
    atMs: random.below(2000),
    number,
    agent: random.pick(['bot-a', 'bot-b']),
    delegated: random.chance(25),
    key: random.chance(15) ? 'key-0' : `key-${String(number)}`,
    operation,
    name: random.pick(['x', 'x', 'y', 'z']),
    amount: random.pick([20, 30, 30, 40, 40]),
    deadlineMs: random.pick([1000, 3000, 6000, 6000]),
    notBeforeMs: random.chance(15) ? random.below(1200) : 0,
    engine: random.below(engines),
  };
}

/** People who answer it, sometimes the wrong ones, and an agent or a person who thinks again. */
function answers(random: Random, { number, atMs, operation }: Proposing, engines: number): Step[] {
  const steps: Step[] = [];
  const soon = (): number => atMs + 50 + random.below(random.chance(60) ? 600 : 2500);
  const engine = (): number => random.below(engines);
  const asked =
    operation === 'refund' || operation === 'pay' ? 1 + random.below(5) : random.below(2);
  for (let count = asked; count > 0; count--) {
    steps.push({
      kind: 'answer',
      atMs: soon(),
      of: number,
      person: random.pick(['mei', 'tomas', 'lea', 'mei', 'tomas', 'lea', 'tom', 'olga', 'dana']),
      decision: random.chance(92) ? 'approve' : 'reject',
      thinkMs: random.chance(80) ? random.below(60) : random.below(2500),
      copies: random.chance(20) ? 2 : 1,
      engine: engine(),
    });
  }
  if (random.chance(8))
    steps.push({ kind: 'withdraw', atMs: soon(), of: number, engine: engine() });
  if (random.chance(15)) {
    steps.push({
      kind: 'resolve',
      atMs: soon() + 1500,
      of: number,
      person: 'lea',
      outcome: random.pick(['succeeded', 'failed', 'not_executed']),
      engine: engine(),
    });
  }
  return steps;
}

function disturbance(random: Random, engines: number, atMs: number): Step {
  const engine = random.below(engines);
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return {
        kind: 'halt',
        atMs,
        scope: scopeOf(random),
        forMs: 200 + random.below(1800),
        engine,
      };
    case 3:
    case 10: {
      const [account, name] = random.pick<readonly ['agent' | 'person', string]>([
        ['agent', 'bot-a'],
        ['agent', 'bot-b'],
        ['person', 'mei'],
        ['person', 'lea'],
        ['person', 'dana'],
      ]);
      return { kind: 'revoke', atMs, account, name, engine };
    }
    case 4:
      return { kind: 'demote', atMs, name: random.pick(['mei', 'tomas', 'lea']), engine };
    case 5:
      return { kind: 'reload', atMs, variant: random.pick(['strict', 'calm']), engine };
    case 6:
      return { kind: 'crash', atMs, engine, downMs: 10 + random.below(1800) };
    case 7:
      return random.chance(50)
        ? { kind: 'freeze', atMs, engine, forMs: 100 + random.below(2500) }
        : { kind: 'stop', atMs, engine, downMs: 10 + random.below(2000) };
    case 8:
      return {
        kind: 'clock',
        atMs,
        byMs: random.pick([-3000, -800, 800, 3000, 2 * 86_400_000]),
        forMs: 200 + random.below(1800),
      };
    case 9:
      return { kind: 'ready', atMs, value: random.chance(40) };
    default:
      return { kind: 'move', atMs };
  }
}

function scopeOf(random: Random): HaltScope {
  return random.pick<HaltScope>([
    {},
    { target: 'bank' },
    { target: 'shop' },
    { operation: 'pay' },
    { kind: 'money.transfer' },
    { agent: 'bot-a' },
    { environment: 'production' },
    { environment: 'staging' },
  ]);
}

function fault(random: Random): Fault {
  const how = random.pick(['stall', 'fail'] as const);
  const nth = 1 + random.below(6);
  switch (random.below(10)) {
    case 0:
    case 1:
      return {
        kind: 'crash',
        call: random.pick(['advance', 'advance', 'change', 'answer', 'halt']),
        nth: 1 + random.below(10),
        when: random.pick(['before', 'after', 'after']),
        downMs: 10 + random.below(1800),
      };
    case 2:
      return {
        kind: 'refuse',
        call: random.pick(['advance', 'change', 'answer']),
        nth: 1 + random.below(10),
        code: random.pick(['store_full', 'store_overloaded']),
      };
    case 3:
      return { kind: 'look', nth, how: random.pick(['stall', 'fail', 'lie']) };
    case 4:
      return {
        kind: 'ask',
        call: random.pick(['resolve', 'preview', 'prepare', 'fact']),
        nth,
        how,
      };
    default:
      return {
        kind: 'send',
        nth: 1 + random.below(4),
        how: sendFault(random),
        lateMs: 500 + random.below(3000),
      };
  }
}

function sendFault(random: Random): SendFault {
  return random.pick<SendFault>([
    'lost request',
    'lost request',
    'lost reply',
    'lost reply',
    'late request',
    'late request',
    'late reply',
    'doubled',
    'refused',
    'cut before the first byte',
    'says done and is not',
    'says refused and did it',
  ]);
}
