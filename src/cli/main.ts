/** The command's entry: called by `bin/exequatur.js`, which also hands over the layer itself. */
import { run, type Entry } from './program.ts';
import { safeJson, safeText } from './safe-text.ts';
import type { Terminal } from './terminal.ts';

/** What the entry in `bin/` hands over. */
export type Main = Pick<Entry, 'server' | 'version'>;

/** Runs this process's command line and sets its exit code. */
export async function main(parts: Main): Promise<void> {
  const { stdin, stdout, stderr, env } = process;
  // A reader that has seen enough, such as `head`, is no error.
  stdout.on('error', (error: Error) => {
    process.exit('code' in error && error.code === 'EPIPE' ? 0 : 1);
  });
  const terminal = { stdin, stdout, stderr, env, directory: process.cwd() };
  const words = process.argv.slice(2);
  try {
    process.exitCode = await run({ ...parts, terminal }, words);
  } catch (error) {
    if ((env['EXEQUATUR_DEBUG'] ?? '') !== '') throw error;
    writeUnexpected(terminal, words.includes('--json'), error);
    // Whatever was opened before the error must not keep the process.
    process.exit(1);
  }
}

/** An error that no command foresaw: one line, and how to see where it came from. */
function writeUnexpected({ stderr }: Terminal, json: boolean, error: unknown): void {
  const message = messageOf(error);
  const hint = 'run it again with EXEQUATUR_DEBUG=1 to see where this comes from';
  stderr.write(
    json
      ? `${safeJson({ error: { code: 'internal_error', message, hint } })}\n`
      : `exequatur: ${safeText(message)}\nhint: ${hint}\n`,
  );
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [line = ''] = message.trim().split('\n');
  return line === '' ? 'an error without a message' : line;
}
