/** Halts: stopping, what stands, and going on. */
import { parseHaltId, type PersonName } from '../../kernel/id.ts';
import type { Halt } from '../../kernel/decision.ts';
import { formatInstant } from '../../kernel/instant.ts';
import type { HaltView } from '../../protocol/halts.ts';
import { ApiProblem } from './api-problem.ts';
import type { Who } from './authenticate.ts';
import { parameterOf, whoOf, type Handlers } from './call.ts';

/** Routes about halts. */
export const HALT_HANDLERS: Handlers<'halt' | 'halts' | 'resume'> = {
  async halt(call) {
    const { served, body } = call;
    const who = whoOf(call);
    const { halt, sent } = await served.engine.halt({
      tenant: who.tenant,
      scope: body.scope,
      reason: body.reason,
      by: nameOf(who),
    });
    return { status: 201, body: { halt: viewHalt(halt), sent } };
  },

  async halts(call) {
    const halts = await call.served.engine.store.halts(whoOf(call).tenant);
    return { status: 200, body: { halts: halts.map(viewHalt) } };
  },

  async resume(call) {
    const who = whoOf(call);
    const id = parseHaltId(parameterOf(call, 'id'));
    const halt = id && (await call.served.engine.resume(who.tenant, id, nameOf(who)));
    if (halt === undefined) throw new ApiProblem('halt_unknown');
    return { status: 200, body: viewHalt(halt) };
  },
};

/** Who answers for it in the ledger. */
function nameOf(who: Who): PersonName | 'operator' {
  if (who.sort === 'agent') throw new Error('the route table lets no agent steer');
  return who.sort === 'person' ? who.person : 'operator';
}

function viewHalt({ id, scope, reason, by, at }: Halt): HaltView {
  return { id, scope, reason, by, at: formatInstant(at) };
}
