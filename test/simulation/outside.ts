/**
 * The world around the layer: a network that loses, delays and doubles, systems that remember what took
 * hold, refuse or lie, and a source of facts. What they do wrong stands in the plan.
 */
import { SEND_DELAY_MS_MAX } from './boundary.ts';
import type { Seen } from './history.ts';
import type { Fault, Plan, SendFault } from './plan.ts';
import { Random } from './random.ts';
import { ownerNamed, type Owner, type VirtualTime } from './virtual-time.ts';

/** A request of an effect, as it travels. */
export interface Sent {
  readonly execution: string;
  readonly action: string;
  readonly operation: string;
  readonly content: string;
}

/** What a system answers to an effect. */
export type Answer = 'done' | 'refused';

/** What a look at a system gives. */
export type Look = 'succeeded' | 'failed' | 'not_executed' | 'none';

type FaultOf<Kind extends Fault['kind']> = Extract<Fault, { readonly kind: Kind }>;

/** Everything that is not the layer. */
export class Outside {
  readonly network: Owner = ownerNamed('network');
  readonly time: VirtualTime;
  readonly see: (seen: Seen) => void;
  /** The fact `ready`. */
  ready = true;
  /** Who the shop says it is; changes when somebody moves it. */
  identity = 'shop-1';
  readonly #random: Random;
  readonly #faults: readonly Fault[];
  readonly #uses = new Map<string, number>();
  readonly #known = new Map<string, 'succeeded' | 'failed' | 'kept out'>();
  #version = 1;
  #calm = false;

  constructor(plan: Plan, time: VirtualTime, see: (seen: Seen) => void) {
    this.time = time;
    this.see = see;
    this.#faults = plan.faults;
    this.#random = new Random(plan.seed, 'outside');
  }

  /** What the shop runs. */
  get version(): number {
    return this.#version;
  }

  /** From now on nothing goes wrong any more. */
  calm(): void {
    this.#calm = true;
    this.ready = true;
  }

  /** What goes wrong with this use of something, if anything. */
  fault<Kind extends Fault['kind']>(kind: Kind, call?: string): FaultOf<Kind> | undefined {
    const name = `${kind} ${call ?? ''}`;
    const nth = (this.#uses.get(name) ?? 0) + 1;
    this.#uses.set(name, nth);
    if (this.#calm) return undefined;
    return this.#faults.find(
      (fault): fault is FaultOf<Kind> =>
        fault.kind === kind && fault.nth === nth && (call === undefined || callOf(fault) === call),
    );
  }

  /** How long something takes: mostly little, sometimes longer than a send may wait. */
  latencyMs(): number {
    const sort = this.#random.below(100);
    if (sort < 75) return this.#random.below(4);
    return this.#random.below(sort < 96 || this.#calm ? 60 : SEND_DELAY_MS_MAX + 100);
  }

  /** Carries a request; `answer` is called as an event of the network, at most once. */
  carry(
    sent: Sent,
    how: SendFault | undefined,
    lateMs: number,
    answer: (answer: Answer) => void,
  ): void {
    if (how === 'lost request') return;
    const wayMs = how === 'late request' ? lateMs : this.latencyMs();
    this.time.after(this.network, wayMs, () => {
      const said = this.#arrive(sent, how, 1);
      if (how === 'doubled') {
        this.time.after(this.network, lateMs, () => void this.#arrive(sent, undefined, 2));
      }
      if (how === 'lost reply') return;
      const backMs = how === 'late reply' ? lateMs : this.latencyMs();
      this.time.after(this.network, backMs, () => answer(said));
    });
  }

  #arrive(sent: Sent, how: SendFault | undefined, copy: number): Answer {
    const { execution, action, content } = sent;
    const refused = how === 'refused' || how === 'says done and is not';
    const tookHold = !refused && !this.#known.has(execution);
    this.see({ kind: 'arrived', execution, action, content, copy, tookHold });
    const lie = how === 'says done and is not' || how === 'says refused and did it';
    if (lie) this.see({ kind: 'lied', execution });
    if (tookHold) {
      this.#known.set(execution, 'succeeded');
      if (sent.operation === 'deploy') this.#version += 1;
    } else if (refused && !this.#known.has(execution)) {
      this.#known.set(execution, 'failed');
    }
    if (how === 'says done and is not') return 'done';
    if (how === 'says refused and did it') return 'refused';
    return this.#known.get(execution) === 'succeeded' ? 'done' : 'refused';
  }

  /** Whether the system has heard of it. */
  knows(execution: string): boolean {
    return this.#known.has(execution);
  }

  /**
   * A look at the system, when it is there. An honest system that does not know the execution keeps
   * it out from then on, so that its absence is conclusive.
   */
  look(execution: string, lie: boolean): Look {
    const known = this.#known.get(execution);
    if (lie) {
      const outcome = known === 'succeeded' ? 'not_executed' : 'succeeded';
      this.see({ kind: 'evidence', execution, outcome, honest: false });
      return outcome;
    }
    if (known === undefined) this.#known.set(execution, 'kept out');
    const outcome = known === 'succeeded' || known === 'failed' ? known : 'not_executed';
    this.see({ kind: 'evidence', execution, outcome, honest: true });
    return outcome;
  }
}

function callOf(fault: Fault): string | undefined {
  return 'call' in fault ? fault.call : undefined;
}
