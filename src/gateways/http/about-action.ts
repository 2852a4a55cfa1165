/** What every route about one action shares: finding it for this caller, and what a change of it came to. */
import type { ActionRecord, ChangeResult } from '../../engine/ports.ts';
import type { Refused } from '../../engine/answers.ts';
import { parseActionId, type ActionId } from '../../kernel/id.ts';
import type { ActionView } from '../../protocol/actions.ts';
import { ApiProblem, problemOf, refusedProblem } from './api-problem.ts';
import { parameterOf, whoOf, type Call, type Reply } from './call.ts';
import { viewAction } from './view-action.ts';

/** A call about the action that its path names. */
export type AboutAction = Pick<Call<unknown, unknown>, 'served' | 'who' | 'parameters'>;

/** The action of the path, if this caller may see it: agents see their own. Throws `action_unknown`. */
export async function findAction(call: AboutAction): Promise<ActionRecord> {
  const who = whoOf(call);
  const id = parseActionId(parameterOf(call, 'id'));
  const record = id && (await call.served.engine.store.action(who.tenant, id));
  if (record === undefined || (who.sort === 'agent' && record.agent !== who.agent)) {
    throw new ApiProblem('action_unknown');
  }
  return record;
}

/** The action after a change. Throws the problem that a refusal is. */
export async function changedReply(
  call: AboutAction,
  result: ChangeResult,
): Promise<Reply<ActionView>> {
  if (result.kind === 'refused') throw await refusedAbout(call, result);
  return { status: 200, body: viewAction(call.served.engine, result.record, whoOf(call)) };
}

/** A refusal with the action as it is, so that its `executed` is the truth about the action. */
export async function refusedAbout(call: AboutAction, refused: Refused): Promise<ApiProblem> {
  const problem = refusedProblem(refused);
  const action = viewAction(call.served.engine, await findAction(call), whoOf(call));
  return new ApiProblem(problem.code, { ...problem.parts, detail: problem.message, action });
}

/** Once something is on its way into the store, an error that nobody expected may have left an effect. */
export async function orUnknown<Value>(promise: Promise<Value>, id?: ActionId): Promise<Value> {
  try {
    return await promise;
  } catch (error) {
    const { code, message, parts } = problemOf(error);
    throw new ApiProblem(code, {
      ...parts,
      detail: message,
      executed: code === 'internal_error' ? 'unknown' : 'no',
      ...(id === undefined ? {} : { id }),
      cause: error,
    });
  }
}
