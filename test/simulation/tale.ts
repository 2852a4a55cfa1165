/** What the checker remembers while it reads a history: actions, executions, consent, control. */
import type { HaltScope } from '../../src/kernel/decision.ts';
import { EVERYBODY, OPERATIONS, type OperationRules, type Variant } from './boundary.ts';
import type { Seen } from './history.ts';

/** A law that a history breaks. */
export interface Violation {
  /** `law 3`; `progress`: nothing may be left undone; `invariant`: what an engine itself calls broken. */
  readonly law: string;
  readonly atMs: number;
  readonly message: string;
}

/** A proposal as its agent made it. */
export type ProposedSeen = Extract<Seen, { readonly kind: 'proposed' }>;

/** One action, as far as it was seen. */
export interface ActionTale {
  readonly id: string;
  readonly operation: string;
  readonly rules: OperationRules;
  readonly target: string;
  readonly agent: string;
  readonly delegator: string | undefined;
  readonly effectKey: string | undefined;
  readonly proposed: ProposedSeen;
  /** As the ledger says. */
  state: string;
  readonly executions: ExecutionTale[];
}

/** One crossing and what came of it. */
export interface ExecutionTale {
  readonly id: string;
  readonly action: ActionTale;
  readonly crossedMs: number;
  readonly crossedAt: number;
  readonly consumes: readonly string[];
  /** Under limits: by counter key. */
  readonly reserves: readonly {
    readonly key: string;
    readonly perMs: number;
    readonly amount: number;
  }[];
  barred: boolean;
  beganCount: number;
  /** The engine that sends it, while its process lives. */
  sender: string | undefined;
  arrivals: number;
  tookHold: boolean;
  replies: readonly string[];
  evidence: readonly string[];
  /** Somebody outside the layer said what was not so: then an outcome may be wrong. */
  misled: boolean;
}

/** A yes as the ledger has it. */
export interface ApprovalTale {
  readonly id: string;
  readonly action: string;
  readonly approver: string;
  readonly consent: string;
  readonly expiresAt: number;
}

/** A halt, and whether it stands. */
export interface HaltTale {
  readonly scope: HaltScope;
  acknowledged: boolean;
  over: boolean;
}

/** Everything remembered. */
export class Tale {
  readonly proposals: Map<string, ProposedSeen> = new Map();
  readonly actions: Map<string, ActionTale> = new Map();
  readonly executions: Map<string, ExecutionTale> = new Map();
  readonly approvals: Map<string, ApprovalTale> = new Map();
  readonly halts: Map<string, HaltTale> = new Map();
  readonly revoked: Set<string> = new Set();
  readonly roles: Map<string, readonly string[]> = new Map();
  /** What people said: `person action decision`, and of unknown outcomes `action outcome`. */
  readonly answers: Set<string> = new Set();
  readonly words: Set<string> = new Set();
  readonly challengesSpent: Set<string> = new Set();
  /** Actions that the layer said will never run and never did. */
  readonly toldNever: Set<string> = new Set();
  /** By request: whether an answer other than a refusal, or none at all, was heard. */
  readonly refusedOnly: Map<string, boolean> = new Map();
  readonly facts: { readonly askedMs: number; readonly value: boolean }[] = [];
  readonly violations: Violation[] = [];
  epoch = 1;
  variant: Variant = 'calm';
  clockAheadMs = 0;
  lastAt = 0;
  lastSequence = 0;
  atMs = 0;

  constructor() {
    for (const { name, kind, roles } of EVERYBODY)
      if (kind === 'person') this.roles.set(name, roles);
  }

  /** Notes that a law is broken. */
  breaks(law: string, message: string): void {
    this.violations.push({ law, atMs: this.atMs, message });
  }

  /** The execution that an action has now: the last one, unless it was barred. */
  liveOf(action: ActionTale): ExecutionTale | undefined {
    const last = action.executions.at(-1);
    return last?.barred === false ? last : undefined;
  }
}

/** Whether a halt covers an action. */
export function isCovered(
  scope: HaltScope,
  { rules, target, operation, agent }: ActionTale,
): boolean {
  if (rules.safing) return false;
  return (
    (scope.target ?? target) === target &&
    (scope.operation ?? operation) === operation &&
    (scope.kind ?? rules.kind) === rules.kind &&
    (scope.agent ?? agent) === agent &&
    (scope.environment === undefined || rules.environments.includes(scope.environment))
  );
}

/** The rules of an operation; one that is not there has none, and is never admitted. */
export function rulesOf(operation: string): OperationRules | undefined {
  return Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
}
