/** Proposes an action, as the agent whose key is given. */
import { randomUUID } from 'node:crypto';
import type { ActionView } from '../../protocol/actions.ts';
import { BODY_BYTES_MAX, HEADERS } from '../../protocol/headers.ts';
import type { Api } from '../api.ts';
import { CliError, usageError } from '../cli-error.ts';
import { word, type Command, type CommandContext, type Given } from '../command.ts';
import { parseMoment } from '../duration.ts';
import { exitOfState, type ExitCode } from '../exits.ts';
import { errorOf, exitOfProblem } from '../problem.ts';
import { actionLines, findingLines } from '../render.ts';
import { safeText } from '../safe-text.ts';
import { readInput } from '../terminal.ts';

/** `propose`. */
export const propose: Command = {
  name: 'propose',
  summary: 'propose one action, and wait a moment for what comes of it',
  description:
    'Values of `--arg name=value` are texts, which is how money and decimals travel; `--arg name:=json` gives any other JSON. A proposal repeated with the same `--key` is the same action and never executes twice.',
  arguments: [
    { name: 'target', summary: 'target in the inventory' },
    { name: 'operation', summary: 'operation of the target' },
  ],
  options: [
    { flags: '--arg <name=value>', summary: 'one argument; may be repeated', many: true },
    { flags: '--args <json>', summary: 'all arguments as a JSON object; `-` reads standard input' },
    { flags: '--deadline <when>', summary: 'duration such as 1h, or an instant with its zone' },
    { flags: '--not-before <when>', summary: 'duration such as 10m, or an instant with its zone' },
    {
      flags: '--note <text>',
      summary: 'words for the people who are asked; no part of the action',
    },
    { flags: '--key <idempotency-key>', summary: 'idempotency key; a fresh one if absent' },
    { flags: '--wait', summary: 'wait until the action has settled or will never run' },
  ],
  client: true,
  examples: [
    'exequatur propose shop-payments refund --arg charge=ch_3P --arg amount=12.00 --as demo-agent',
    'exequatur propose shop-db delete-customers --args - --deadline 2h --wait < args.json',
  ],
  exits: [0, 1, 3, 4, 5, 6, 7],
  async run(context, given) {
    const bodyText = await bodyOf(context, given);
    const key = given.text('key') ?? `cli-${randomUUID()}`;
    const api = await context.api(['agent']);
    const proposed = await proposeOnce(context, api, { bodyText, key });
    if (typeof proposed === 'number') return proposed;
    const settled = given.flag('wait') ? await settledOf(api, proposed) : proposed;
    return tellAction(context, settled);
  },
};

async function proposeOnce(
  context: CommandContext,
  api: Api,
  { bodyText, key }: { readonly bodyText: string; readonly key: string },
): Promise<ActionView | ExitCode> {
  try {
    const asked = await api.ask('propose', {
      bodyText,
      headers: { [HEADERS.idempotencyKey]: key },
    });
    if (asked.kind === 'answer') return asked.answer;
    const { problem } = asked;
    // An action that will never run is an answer too, though HTTP tells it as an error.
    if (problem.state === undefined || problem.id === undefined) throw errorOf(problem, api.url);
    context.tell(asked.document);
    context.say(
      `${context.paint('bad', problem.state.toUpperCase())}, not executed · ${problem.id}`,
    );
    context.say(safeText(problem.detail));
    for (const line of findingLines(problem.findings ?? [])) context.say(line);
    return exitOfProblem(problem);
  } catch (error) {
    if (!(error instanceof CliError) || error.exit !== 6) throw error;
    const { exit, code, message } = error;
    const hint = `it may have been taken; repeat it with \`--key ${key}\`, which never executes twice`;
    throw new CliError({ exit, code, message, hint, cause: error });
  }
}

async function settledOf(api: Api, proposed: ActionView): Promise<ActionView> {
  let action = proposed;
  while (action.state === 'held' || action.state === 'executing') {
    const asked = await api.ask('action', {
      parameters: { id: action.id },
      query: { wait: '60' },
    });
    if (asked.kind === 'problem') throw errorOf(asked.problem, api.url);
    action = asked.answer;
  }
  return action;
}

/** Prints an action, and answers the exit code that tells its state. */
export function tellAction(context: CommandContext, action: ActionView): ExitCode {
  context.tell(action);
  for (const line of actionLines(action, context.paint)) context.say(line);
  return exitOfState(action.state);
}

/**
 * The body as text. Arguments are spliced in as they were written: reading them here would round large
 * numbers and drop repeated keys, which the layer refuses.
 */
async function bodyOf(context: CommandContext, given: Given): Promise<string> {
  const nowMs = Date.now();
  const members = [
    ['target', JSON.stringify(word(given))],
    ['operation', JSON.stringify(word(given, 1))],
    ['args', await argsOf(context, given)],
    ['deadline', momentOf(given, 'deadline', nowMs)],
    ['notBefore', momentOf(given, 'not-before', nowMs)],
    ['note', given.text('note') === undefined ? undefined : JSON.stringify(given.text('note'))],
  ].flatMap(([name, json]) => (json === undefined ? [] : [`${JSON.stringify(name)}:${json}`]));
  return `{${members.join(',')}}`;
}

async function argsOf(context: CommandContext, given: Given): Promise<string | undefined> {
  const whole = given.text('args');
  const single = given.texts('arg');
  if (whole === undefined) {
    return single.length === 0 ? undefined : `{${single.map(memberOf).join(',')}}`;
  }
  if (single.length > 0) throw usageError('`--arg` and `--args` exclude each other');
  const text = whole === '-' ? await readInput(context.terminal, BODY_BYTES_MAX) : whole;
  return checkedJson(text, '--args');
}

function memberOf(text: string): string {
  const [, name, colon, value] = /^([^=:]+)(:?)=(.*)$/su.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw usageError(`\`--arg ${text}\` names no value`, 'write `--arg name=value`');
  }
  const json = colon === ':' ? checkedJson(value, `--arg ${name}`) : JSON.stringify(value);
  return `${JSON.stringify(name)}:${json}`;
}

/**
 * The text itself, once it is known to be one JSON value: then it cannot add members of its own. What
 * JSON.parse makes of it is used for nothing; the layer reads the text with its strict parser.
 */
function checkedJson(text: string, what: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    const reason = error instanceof Error ? error.message : '';
    throw usageError(
      `\`${what}\` is not JSON: ${reason}`,
      'texts in JSON have double quotes; `--arg name=value` needs none',
    );
  }
}

function momentOf(given: Given, option: string, nowMs: number): string | undefined {
  const text = given.text(option);
  if (text === undefined) return undefined;
  const moment = parseMoment(text, nowMs);
  if (moment !== undefined) return JSON.stringify(moment);
  throw usageError(
    `\`--${option} ${text}\` is neither a duration nor an instant`,
    'write `90s`, `1h30m`, or `2026-11-22T04:12:00Z`',
  );
}
