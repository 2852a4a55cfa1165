/** What the production engine's judgements come to, as far as it can make a difference in the search. */
import type { ActionState } from '../../../src/engine/transition.ts';

/**
 * What an engine knows when it comes to its transaction: that the action is certain to be stopped, that
 * it would not be admitted, or that it would be, with everything done before the first byte.
 */
export type Knowledge = 'foreclosed' | 'unprepared' | 'prepared';

/** How an execution ended, as its engine settles it. */
export type Ending = 'barred' | 'succeeded' | 'failed' | 'not_executed' | 'unknown';

/** A change of a row, with the function of the engine that judges it. */
export type ChangeName =
  | `settle ${Ending}`
  | 'lose'
  | `evidence ${'succeeded' | 'not_executed'}`
  | `word ${'succeeded' | 'failed' | 'not_executed'}`
  | 'withdraw';

/** What an advance writes; `undefined`: the engine starts over, and nothing is written. */
export type AdvanceWrite =
  | {
      readonly state: ActionState;
      readonly crosses: boolean;
      /** One bit a person whose approval is consumed. */
      readonly consumes: number;
      readonly reserves: number;
      /** Whether people are asked. */
      readonly asks: boolean;
    }
  | undefined;

/** What a change writes; `undefined`: it is refused. */
export type ChangeWrite =
  | {
      readonly state: ActionState;
      readonly limits: 'keep' | 'post' | 'void' | 'unknown';
      readonly restores: boolean;
    }
  | undefined;
