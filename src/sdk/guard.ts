/** Tools as agents' frameworks know them, turned into actions. */
import type { Answer, JsonObject, JsonValue } from './answer.ts';
import type { ActOptions, Client } from './client.ts';
import { NotDoneError } from './errors.ts';

/** Which operation a function's call becomes, and how its input becomes the arguments. */
export interface GuardedOperation<Input extends readonly unknown[]> extends Pick<
  ActOptions,
  'wait' | 'signal'
> {
  readonly target: string;
  readonly operation: string;
  readonly args: (...input: Input) => JsonObject;
  /** The agent's own words, shown to people as such. */
  readonly note?: (...input: Input) => string;
  /** Calls with the same key are one action, such as a call that a framework repeats; each is one of its own if absent. */
  readonly idempotencyKey?: (...input: Input) => string;
}

/**
 * A function whose call is an action at the layer. Nothing of it runs here: it has no body but the
 * operation in the inventory. It resolves to what the target answered (`null` where that is nothing).
 * Where the action did not succeed it resolves to what `fallback` makes of the answer, such as a
 * sentence for the model, and without one throws {@link NotDoneError}.
 */
export function guard<Input extends readonly unknown[], Otherwise = never>(
  client: Pick<Client, 'act'>,
  operation: GuardedOperation<Input>,
  fallback?: (answer: Answer, ...input: Input) => Otherwise | Promise<Otherwise>,
): (...input: Input) => Promise<JsonValue | Otherwise> {
  const { target, operation: name, args, note, idempotencyKey, wait, signal } = operation;
  return async (...input) => {
    const answer = await client.act(
      {
        target,
        operation: name,
        args: args(...input),
        ...(note === undefined ? {} : { note: note(...input) }),
      },
      {
        ...(wait === undefined ? {} : { wait }),
        ...(signal === undefined ? {} : { signal }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey: idempotencyKey(...input) }),
      },
    );
    if (answer.kind === 'done' && answer.state === 'succeeded') return answer.result ?? null;
    if (fallback === undefined) throw new NotDoneError(answer);
    return fallback(answer, ...input);
  };
}
