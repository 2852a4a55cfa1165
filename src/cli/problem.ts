/** Problem details of the API as the command's own errors. */
import type { ProblemDetails } from '../protocol/errors.ts';
import { CliError } from './cli-error.ts';
import { exitOfState, type ExitCode } from './exits.ts';

/** The error of an answer with problem details. */
export function errorOf(problem: ProblemDetails): CliError {
  return new CliError({
    exit: exitOfProblem(problem),
    code: problem.code,
    message: lowerFirst(problem.detail),
    hint: problem.hint,
  });
}

/** The exit code of an answer with problem details. */
export function exitOfProblem({ status, state, code }: ProblemDetails): ExitCode {
  if (state !== undefined && code === state) return exitOfState(state);
  if (status === 401 || code === 'wrong_key_sort' || code === 'not_entitled') return 7;
  return 1;
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z ]/u.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
