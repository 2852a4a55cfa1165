/** The command's entry: called by `bin/exequatur.js`, which also hands over the layer itself. */
import { run, type Entry } from './program.ts';

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
  process.exitCode = await run({ ...parts, terminal }, process.argv.slice(2));
}
