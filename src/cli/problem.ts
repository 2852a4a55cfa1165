/** Problem details of the API as the command's own errors. */
import type { ProblemDetails } from '../protocol/errors.ts';
import { CliError } from './cli-error.ts';
import { exitOfState, type ExitCode } from './exits.ts';

/** The error of an answer with problem details from the layer at `url`. */
export function errorOf(problem: ProblemDetails, url: string): CliError {
  return new CliError({
    exit: exitOfProblem(problem),
    code: problem.code,
    message: lowerFirst(problem.detail).replace(/\.$/u, ''),
    hint:
      HINTS[problem.code] ??
      problem.hint ??
      `what \`${problem.code}\` means: ${url}/errors/${problem.code}`,
  });
}

/** What to do at a command line, where the API's own hint is for whoever writes requests. */
const HINTS: Readonly<Partial<Record<ProblemDetails['code'], string>>> = {
  unauthenticated: 'the key is unknown or revoked: give another with `--as` or `--key-file`',
  wrong_key_sort: 'choose another key with `--as NAME` or `--key-file FILE`',
  action_unknown: 'list them with `exequatur actions`',
  account_unknown:
    'list them with `exequatur agent list`, `exequatur person list` and `exequatur executor list`',
  not_entitled: 'somebody else has to answer: `exequatur explain` says who',
  not_held: 'look at it with `exequatur show`',
  not_unknown: 'look at it with `exequatur show`',
  consent_moved: 'run it again and look at what the action would do now',
  challenge_invalid: 'run it again',
  invalid_request: 'see `exequatur help` and the command’s name for what it takes',
  query_invalid: 'see `exequatur help` and the command’s name for what it takes',
  idempotency_key_reused: 'leave `--key` out for a new action',
  draining: 'wait until it is started again',
};

/** The exit code of an answer with problem details. */
export function exitOfProblem({ status, state, code }: ProblemDetails): ExitCode {
  if (state !== undefined && code === state) return exitOfState(state);
  if (status === 401 || code === 'wrong_key_sort' || code === 'not_entitled') return 7;
  return 1;
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z ]/u.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
