/** `replay`: recorded decisions are made again and compared, or made under another policy. */
import { CliError, usageError } from '../cli-error.ts';
import { word, type Command, type CommandContext, type Given } from '../command.ts';
import { shortIds } from '../find-action.ts';
import { instantText, problemLines } from '../render.ts';
import { safeText } from '../safe-text.ts';
import type {
  DifferenceTold,
  Reconsidered,
  ReconsideredRow,
  Refused,
  Replayed,
  ReplayOptions,
} from '../server-door.ts';
import { table } from '../terminal.ts';
import { ID } from './actions.ts';

/** `replay`. */
export const replay: Command = {
  name: 'replay',
  summary: 'make recorded decisions again from the ledger, and compare; or under another policy',
  description:
    'Needs no layer: it reads the store of one that is stopped, or a backup of one that runs, and changes nothing. Each decision is made again from what the ledger keeps of its inputs, under the policy of its epoch, and must come out as the ledger says. With `--policy` it answers what that policy would have decided then, for the newest decision of each action. Ends with 1 where anything differs.',
  arguments: [{ ...ID, optional: true }],
  options: [
    { flags: '--all', summary: 'every decision of the ledger' },
    { flags: '--policy <file>', summary: 'decide by these policies instead', many: true },
    {
      flags: '--inventory <file>',
      summary: 'with `--policy`: this inventory instead of the one then',
    },
    { flags: '--backup <file>', summary: 'read this backup' },
    {
      flags: '--data <directory>',
      summary: 'read the stopped store in it (or EXEQUATUR_DATA; ./.exequatur or ./data if there)',
    },
  ],
  client: false,
  examples: [
    'exequatur replay 0193 --backup data/backups/monday.db',
    'exequatur replay --all --data data',
    'exequatur replay --policy stricter.yaml --backup data/backups/monday.db',
  ],
  exits: [0, 1],
  async run(context, given) {
    const asked = askedOf(context, given);
    const door = await context.server();
    const [policies, inventory] = [given.texts('policy'), given.text('inventory')];
    if (policies.length === 0) {
      return tellReplayed(context, orThrow(await door.replay(asked)));
    }
    const done = orThrow(await door.reconsider({ ...asked, policies, inventory }));
    if (done.kind === 'reconsidered') return tellReconsidered(context, done);
    context.tell({ ok: false, problems: done.problems });
    for (const problem of done.problems) {
      for (const line of problemLines(problem, context.paint)) context.say(line);
    }
    throw new CliError({
      exit: 1,
      code: 'policy_invalid',
      message: 'the policy does not fit the inventory that was active then',
      hint: 'name the inventory that it is for with `--inventory FILE`',
    });
  },
};

function askedOf(context: CommandContext, given: Given): ReplayOptions {
  const { terminal, json, paint } = context;
  const [id, all] = [word(given), given.flag('all')];
  const policies = given.texts('policy');
  if (id !== '' && all) throw usageError('`--all` takes no id', 'give one or the other');
  if (id === '' && !all && policies.length === 0) {
    throw usageError('nothing to replay', 'name an action, or give `--all`');
  }
  if (given.text('inventory') !== undefined && policies.length === 0) {
    throw usageError('`--inventory` goes with `--policy`', 'a replay uses the one active then');
  }
  const [backup, data] = [given.text('backup'), given.text('data')];
  if (backup !== undefined && data !== undefined) {
    throw usageError('`--backup` and `--data` both name a store', 'give one or the other');
  }
  const named = terminal.env['EXEQUATUR_DATA'];
  return {
    from: terminal.directory,
    backup,
    data: data ?? (named === '' ? undefined : named),
    action: id === '' ? undefined : id,
    progress: (count) => {
      if (!json && terminal.stdout.isTTY === true)
        context.say(paint('quiet', `${String(count)} so far`));
    },
  };
}

function orThrow<Done extends { readonly kind: string }>(done: Done | Refused): Done {
  if (!isRefused(done)) return done;
  const { code, message, hint } = done;
  throw new CliError({ exit: 1, code, message, ...(hint === undefined ? {} : { hint }) });
}

function isRefused(done: { readonly kind: string }): done is Refused {
  return done.kind === 'refused';
}

// ---------------------------------------------------------------- compared

function tellReplayed(context: CommandContext, done: Replayed): 0 | 1 {
  const { decisions, same, erased, different, broken, first } = done;
  context.tell({ ok: first === undefined, ...done });
  const mark = first === undefined ? context.paint('good', '✓') : context.paint('bad', '✗');
  const rest = [
    ...countOf(erased, 'erased since'),
    ...countOf(different, 'different'),
    ...countOf(broken, 'not to be made again'),
  ];
  context.say(
    [`${mark} ${String(same)} of ${decisionsText(decisions)} made again, the same`, ...rest].join(
      ' · ',
    ),
  );
  if (first === undefined) return 0;
  throw differs(first, different + broken);
}

function differs(first: DifferenceTold, count: number): CliError {
  const { id, sequence, code, message, was, is } = first;
  const whose = id === undefined ? '' : ` of \`${id}\``;
  const values = [
    ...(was === undefined ? [] : [`the ledger says ${shortened(was)}`]),
    ...(is === undefined ? [] : [`deciding again says ${shortened(is)}`]),
  ];
  return new CliError({
    exit: 1,
    code,
    message: [`entry ${String(sequence)}${whose}: ${message}`, ...values].map(safeText).join('; '),
    hint:
      count > 1
        ? `it is the first of ${String(count)}; the others may follow from the same cause`
        : 'another version of the layer may decide otherwise; else somebody changed the store',
  });
}

/** A value as far as a line of an error holds it. */
function shortened(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}

function countOf(count: number, what: string): readonly string[] {
  return count === 0 ? [] : [`${String(count)} ${what}`];
}

function decisionsText(count: number): string {
  return `${String(count)} ${count === 1 ? 'decision' : 'decisions'}`;
}

// ---------------------------------------------------------------- under another policy

function tellReconsidered(context: CommandContext, done: Reconsidered): 0 | 1 {
  const { actions, unchanged, erased, broken, changes, because, rows } = done;
  const changed = actions - unchanged - erased - broken;
  context.tell({ ok: changed === 0, changed, ...done });
  sayRows(context, rows);
  if (changed > rows.length) context.say(`… and ${String(changed - rows.length)} more`);
  if (rows.length > 0) context.say('');
  const counts = [
    `${String(changed)} of ${String(actions)} ${actions === 1 ? 'action' : 'actions'} would be decided otherwise`,
    ...Object.entries(changes).map(([change, count]) => `${safeText(change)}: ${String(count)}`),
    ...countOf(erased, 'erased since'),
    ...countOf(broken, 'not to be made again'),
  ];
  context.say(counts.join(' · '));
  const responsible = because.map(({ name, place, count }) => [
    ' because of',
    safeText(name),
    safeText(place ?? ''),
    String(count),
  ]);
  for (const line of table(responsible)) context.say(line);
  return changed === 0 ? 0 : 1;
}

function sayRows(context: CommandContext, rows: readonly ReconsideredRow[]): void {
  if (rows.length === 0) return;
  const short = shortIds(rows.map(({ id }) => id));
  const lines = rows.map(({ id, at, target, operation, was, would, because }) => [
    short.get(id) ?? id,
    instantText(at),
    safeText(target),
    safeText(operation),
    `${safeText(was)} → ${safeText(would)}`,
    safeText(because.join(', ')),
  ]);
  const heading = ['id', 'decided', 'target', 'operation', 'was → would', 'because of'];
  for (const line of table([heading, ...lines])) context.say(line);
}
