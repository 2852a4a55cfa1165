/** What is searched: how many of everything, and which rule of the engine is broken on purpose, if any. */
import { clockStates, type ClockState } from './clock.ts';
import { production, type Production } from './production.ts';
import type { World } from './world.ts';

/** Rules of the engine, its store and its executors, each broken on purpose, with what that may break. */
export const FLAWS = {
  'an engine writes although its row moved on': 3,
  'an engine overlooks who is at the same effect': 3,
  'an engine sends again when no answer came': 4,
  'a lost execution is tried again': 3,
  'no answer is called not executed': 5,
  'absence is believed while a request travels': 5,
  'a halt is acknowledged before every send is decided': 7,
  'a revocation is read before the lock': 7,
  'a crossing is judged by an old epoch': 7,
  'the clock is read before the lock': 8,
  'the wall clock is believed whatever it says': 8,
  'roles are read before the lock': 10,
  'aliases are not known': 10,
  'the owners of the agent are not known': 10,
  'limits are read before the lock': 11,
  'an unknown outcome frees what it reserved': 11,
  'a request leaves before its crossing is stored': 12,
} as const;

/** One of {@link FLAWS}. */
export type Flaw = keyof typeof FLAWS;

/** The bounds of a search. */
export interface Setting {
  readonly engines: number;
  readonly actions: number;
  /** How many leads must approve; 0: nobody is asked, and a proposal may cross at once. */
  readonly approvers: 0 | 2;
  /** Whether the actions have the same effect key. */
  readonly effectKeys: 'one' | 'two';
  /** How many payments a period the shared limit allows. */
  readonly limit: number;
  /** How many steps of the wall clock a history has at most; `Infinity` for any number. */
  readonly clockSteps: number;
  /**
   * The agent's account, Tom's role and the epoch: `kept` in the state once they change, or `fleeting`,
   * chosen anew at each transaction that reads them, which allows more in fewer states.
   */
  readonly controls: 'kept' | 'fleeting';
  /** Whether what cannot make a difference is dropped from states; see `reduce.ts`. */
  readonly reduced: boolean;
  readonly flaw?: Flaw;
}

/** A setting with everything that its moves need. */
export interface Rules extends Setting {
  readonly clocks: readonly ClockState[];
  readonly production: Production;
}

/** Prepares a search. A flaw may make a difference of what is dropped otherwise: then nothing is. */
export async function rulesOf(setting: Setting): Promise<Rules> {
  const { flaw, clockSteps, approvers, limit } = setting;
  const reduced = setting.reduced && flaw === undefined;
  return {
    ...setting,
    reduced,
    controls: reduced ? setting.controls : 'kept',
    clocks: clockStates(clockSteps, flaw === 'the wall clock is believed whatever it says'),
    production: await production(approvers, limit),
  };
}

/** The clock as it is in this world. */
export function clockOf(rules: Rules, world: World): ClockState {
  const state = rules.clocks[world.clock];
  if (state === undefined) throw new RangeError(`no clock ${String(world.clock)}`);
  return state;
}
