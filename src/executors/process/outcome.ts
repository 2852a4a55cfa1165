/**
 * What the end of a program says about its effect.
 *
 * A program that the layer ended (`timeout`, `cancelled`, `output_limit`, `memory_limit`) reported
 * nothing, and what it had asked of other systems may still be under way: its outcome is `unknown`
 * unless `exits` declares otherwise under that name. A program that somebody else killed is `unknown`
 * always, and so is one of which something still runs.
 */
import type { Outcome } from '../../engine/ports.ts';
import type { OutcomeState } from '../../engine/transition.ts';
import type { JsonObject } from '../../kernel/json/value.ts';
import { outputResult } from '../answer.ts';
import { notSent } from '../prepared.ts';
import type { ProgramEnd } from './program.ts';

/** States by exit code, and by the names of the layer's own limits. */
export type Exits = Readonly<Record<string, OutcomeState>>;

/** The outcome of an effect from the end of its program. */
export function programOutcome(end: ProgramEnd, exits: Exits): Outcome {
  if (end.kind === 'not_started') return notSent(end.code, end.message);
  const { state, code, message } = verdictOf(end, exits);
  return { state, sent: true, code, message, result: programResult(end) };
}

type Ended = Extract<ProgramEnd, { readonly kind: 'ended' }>;

function verdictOf(end: Ended, exits: Exits): Pick<Outcome, 'state' | 'code' | 'message'> {
  if (!end.gone) {
    return { state: 'unknown', code: 'still_running', message: 'the program cannot be ended' };
  }
  if (end.endedBy !== undefined) {
    const state = declared(exits, end.endedBy) ?? 'unknown';
    return { state, code: end.endedBy, message: LIMIT_MESSAGES[end.endedBy] };
  }
  if (end.exitCode === null) {
    const code = `signal_${(end.signal ?? 'none').toLowerCase()}`;
    return { state: 'unknown', code, message: 'the program was killed from outside' };
  }
  const exit = String(end.exitCode);
  const state = declared(exits, exit) ?? (end.exitCode === 0 ? 'succeeded' : 'failed');
  return { state, code: `exit_${exit}`, message: `the program ended with code ${exit}` };
}

const LIMIT_MESSAGES = {
  timeout: 'the program took too long and was ended',
  cancelled: 'the program was cancelled while it ran',
  output_limit: 'the program wrote too much and was ended',
  memory_limit: 'the program used too much memory and was ended',
} as const;

/** The state declared under a name, if there is one. */
export function declared(exits: Exits, name: string): OutcomeState | undefined {
  return Object.hasOwn(exits, name) ? exits[name] : undefined;
}

/** The kept part of a program's end: exit, and the masked ends of both outputs. */
export function programResult(end: Ended): JsonObject {
  return {
    exitCode: end.exitCode,
    ...(end.signal === null ? {} : { signal: end.signal }),
    ...(end.leftBehind ? { leftBehind: true } : {}),
    stdout: outputResult(end.stdout),
    stderr: outputResult(end.stderr),
  };
}
