/** The exit codes of the command, in one table: scripts rely on them. */

/** What each exit code means. */
export const EXITS = {
  0: 'done: the command did what it says; a proposed action succeeded',
  1: 'refused or failed: the layer said no to the command, an action failed or was not executed, or a file is not genuine',
  2: 'used wrongly: unknown command or option, missing or malformed argument; or nobody can tell whether a file is genuine',
  3: 'waiting: the action is held or executing; nothing is lost by asking again',
  4: 'never runs: the action is denied, rejected, expired or withdrawn',
  5: 'unknown: the action may or may not have taken effect; look before you act again',
  6: 'no daemon: nothing answers at the address, or none is known',
  7: 'no right: the key is missing, unknown, revoked, or of the wrong sort',
} as const;

/** An exit code of {@link EXITS}. */
export type ExitCode = keyof typeof EXITS;

/** The exit code that tells an action's state. */
export function exitOfState(state: string): ExitCode {
  switch (state) {
    case 'succeeded':
      return 0;
    case 'held':
    case 'executing':
      return 3;
    case 'denied':
    case 'rejected':
    case 'expired':
    case 'withdrawn':
      return 4;
    case 'unknown':
      return 5;
    default:
      return 1;
  }
}
