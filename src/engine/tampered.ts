/**
 * An action whose stored bytes no longer have their digest: somebody changed them behind the layer's
 * back. It is denied on its row alone, and nothing of it is believed.
 */
import type { Action } from '../kernel/action.ts';
import { payloadMismatch } from '../kernel/decide.ts';
import type { DecisionInput } from '../kernel/decision.ts';
import type { Advanced } from './advance.ts';
import { decidedEntry } from './entries.ts';
import type { Configuration, Life } from './life.ts';
import type { ActionRecord } from './ports.ts';

/** Denies it, for good. */
export async function denyTampered(
  life: Life,
  configuration: Configuration,
  record: ActionRecord,
): Promise<Advanced> {
  const { policy } = configuration;
  const result = await life.store.advance({
    query: {
      tenant: record.tenant,
      action: record.id,
      stored: true,
      agent: record.agent,
      delegator: record.delegator,
      effectKey: record.effectKey,
      once: false,
      conflictKey: record.conflictKey,
      serialised: false,
      limits: [],
      after: [],
    },
    revision: record.revision,
    judge: (now, local) => {
      const input = inputOf(record, { now, local });
      const decision = payloadMismatch(input);
      return {
        decision,
        state: 'denied',
        askedSince: record.askedSince,
        subject: record.subject,
        entries: [
          decidedEntry({
            input,
            decision,
            policy: policy.digest,
            maker: 'mismatched',
            salt: life.salt,
          }),
        ],
      };
    },
  });
  if (result.kind !== 'written') return result;
  life.changed(result.record);
  return { kind: 'stopped', record: result.record };
}

/** What the row says besides the bytes. The arguments are left out: nobody knows them any more. */
function inputOf(
  record: ActionRecord,
  { now, local }: Pick<DecisionInput, 'now' | 'local'>,
): DecisionInput {
  const action: Action = {
    tenant: record.tenant,
    principal: {
      agent: record.agent,
      ...(record.delegator === undefined ? {} : { delegator: record.delegator }),
    },
    target: record.target,
    operation: record.operation,
    args: {},
    deadline: record.deadline,
  };
  return {
    now,
    id: record.id,
    action,
    actionDigest: record.digest,
    proposedAt: record.proposedAt,
    askedSince: record.askedSince,
    target: undefined,
    operation: undefined,
    resolution: { kind: 'absent' },
    preview: { kind: 'absent' },
    consent: undefined,
    facts: {},
    windows: {},
    local,
  };
}
