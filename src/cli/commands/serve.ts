/** Runs the layer. */
import { usageError } from '../cli-error.ts';
import type { Command, CommandContext, Given } from '../command.ts';
import type { ExitCode } from '../exits.ts';
import { problemLines } from '../render.ts';
import { safeJson } from '../safe-text.ts';
import type { Ended, Ready } from '../server-door.ts';
import { CliError } from '../cli-error.ts';
import { painterFor } from '../terminal.ts';

/** `serve`. */
export const serve: Command = {
  name: 'serve',
  summary: 'run the layer with a configuration file',
  description:
    'Refuses to start where configuration, policy or inventory are not valid. SIGTERM ends it once what is under way has settled; SIGHUP reads policy and inventory again.',
  options: [
    { flags: '--config <file>', summary: 'configuration file (exequatur.yaml)' },
    { flags: '--port <number>', summary: 'port instead of the configured one; 0 is any free one' },
    { flags: '--data <directory>', summary: 'data directory instead of the configured one' },
  ],
  client: false,
  examples: ['exequatur serve', 'exequatur serve --config /etc/exequatur/exequatur.yaml'],
  exits: [0, 1],
  async run(context, given) {
    const door = await context.server();
    const ended = await door.serve({
      terminal: context.terminal,
      config: given.text('config') ?? 'exequatur.yaml',
      port: portOf(given),
      data: given.text('data'),
      ready: (ready) => tellReady(context, ready),
    });
    return endOf(context, ended);
  },
};

/** `dev`. */
export const dev: Command = {
  name: 'dev',
  summary: 'run the layer for development, with demonstration targets ready to play',
  description:
    'On loopback only. On a terminal it prints what to try, plays the demonstration at `d`, and ends at `q`; otherwise it serves and prints no key. Changed policy and inventory files are read again at once.',
  options: [
    { flags: '--port <number>', summary: 'port (7373); 0 is any free one' },
    { flags: '--data <directory>', summary: 'where to keep its data (./.exequatur)' },
    { flags: '--ephemeral', summary: 'keep nothing after it ends' },
  ],
  client: false,
  examples: ['exequatur dev', 'exequatur dev --ephemeral --port 0'],
  exits: [0, 1],
  async run(context, given) {
    const door = await context.server();
    const ended = await door.dev({
      terminal: context.terminal,
      json: context.json,
      port: portOf(given),
      data: given.text('data'),
      ephemeral: given.flag('ephemeral'),
      ready: (ready) => {
        if (context.json) tellReady(context, ready);
      },
    });
    return endOf(context, ended);
  },
};

function portOf(given: Given): number | undefined {
  const text = given.text('port');
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw usageError(`\`${text}\` is not a port`, 'give a number from 0 to 65535');
}

function tellReady(context: CommandContext, ready: Ready): void {
  context.say(`exequatur answers at ${ready.url} (process ${String(ready.pid)})`);
  context.tell({ event: 'ready', ...ready });
}

/** Prints why it ended, and answers the exit code. */
function endOf(context: CommandContext, ended: Ended): ExitCode {
  switch (ended.kind) {
    case 'stopped':
      return 0;
    case 'refused':
      throw new CliError({ exit: 1, code: ended.code, message: ended.message, hint: ended.hint });
    case 'problems': {
      const { terminal, json } = context;
      if (json) {
        const error = {
          code: 'configuration_invalid',
          message: 'the configuration is not valid',
          problems: ended.problems,
        };
        terminal.stderr.write(`${safeJson({ error })}\n`);
        return 1;
      }
      const paint = painterFor(terminal.stderr, terminal.env);
      for (const problem of ended.problems) {
        for (const line of problemLines(problem, paint)) terminal.stderr.write(`${line}\n`);
      }
      throw new CliError({
        exit: 1,
        code: 'configuration_invalid',
        message: 'the configuration is not valid; the layer did not start',
        hint: 'correct what is listed above; `exequatur policy check` tells the same without starting',
      });
    }
    default:
      return ended satisfies never;
  }
}
