/** Why a command cannot go on, as the user reads it. */
import type { ExitCode } from './exits.ts';

/** A refusal with a stable code, one line, what to do about it, and the exit code it ends with. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exit: ExitCode;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(parts: {
    readonly exit: ExitCode;
    readonly code: string;
    readonly message: string;
    readonly hint?: string | undefined;
    readonly cause?: unknown;
  }) {
    super(parts.message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.exit = parts.exit;
    this.code = parts.code;
    this.hint = parts.hint;
  }
}

/** A refusal because the command line is wrong. */
export function usageError(message: string, hint = 'see `exequatur help`'): CliError {
  return new CliError({ exit: 2, code: 'usage', message, hint });
}
