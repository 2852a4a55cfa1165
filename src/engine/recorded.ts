/**
 * Decisions read back: the input that an entry recorded beside it, and the same question asked again.
 * Explaining and replaying both come here, so that they can only ask the same.
 */
import type { Action, ConsentSubject } from '../kernel/action.ts';
import { decide, foreclose, payloadMismatch } from '../kernel/decide.ts';
import type { Decision, DecisionInput } from '../kernel/decision.ts';
import type { Digest } from '../kernel/digest.ts';
import type { ActionId } from '../kernel/id.ts';
import type { Inventory } from '../kernel/inventory.ts';
import type { JsonObject } from '../kernel/json/value.ts';
import type { CompiledPolicy } from '../kernel/policy/compiled.ts';
import type { DecisionMaker } from './entries.ts';

/** What a decision was made from, and by what. */
export interface RecordedInput {
  readonly input: DecisionInput;
  readonly maker: DecisionMaker | undefined;
}

/** An action, as far as a decision speaks of it. */
export interface DecidedAction {
  readonly id: ActionId;
  readonly action: Action;
  readonly digest: Digest;
}

/**
 * The input from an entry's `inputs` payload; target and operation come from the inventory it was
 * decided under. `undefined` where the payload is not one.
 */
export function recordedInput(
  { id, action, digest }: DecidedAction,
  inputs: JsonObject,
  inventory: Inventory,
): RecordedInput | undefined {
  if (typeof inputs['local'] !== 'object' || typeof inputs['now'] !== 'number') return undefined;
  // Written by `entries.ts` from a DecisionInput, and read back by nobody else.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { nonce, maker, ...recorded } = inputs as unknown as Stored;
  const target = inventory.targets.get(action.target);
  return {
    maker,
    input: {
      ...recorded,
      id,
      action,
      target,
      operation: target?.operations.get(action.operation),
      consent: nonce === null ? undefined : consentOf({ id, action, digest }, nonce, recorded),
      local: {
        ...recorded.local,
        agent: recorded.local.agent ?? undefined,
        effect: recorded.local.effect ?? undefined,
      },
    },
  };
}

/** The decision as it is made now, by what made it then. */
export function decideAgain(policy: CompiledPolicy, { input, maker }: RecordedInput): Decision {
  if (maker === 'mismatched') return payloadMismatch(input);
  const foreclosed = maker === 'foreclosed' ? foreclose(policy, input) : undefined;
  return foreclosed ?? decide(policy, input);
}

type Stored = Omit<DecisionInput, 'id' | 'action' | 'target' | 'operation' | 'consent'> & {
  readonly nonce: string | null;
  readonly maker?: DecisionMaker;
};

/** What people were asked to consent to then, from its parts; none while it was not known. */
function consentOf(
  { id, action, digest }: DecidedAction,
  nonce: string,
  { resolution, preview }: Pick<DecisionInput, 'resolution' | 'preview'>,
): ConsentSubject | undefined {
  if (resolution.kind !== 'known' || preview.kind !== 'known') return undefined;
  return {
    tenant: action.tenant,
    action: id,
    nonce,
    actionDigest: digest,
    resolution: resolution.value,
    preview: preview.value === 'none' ? null : preview.value,
  };
}
