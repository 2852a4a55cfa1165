/** `policy test`: what the policy says to cases, beside what it should say. */
import { CliError } from '../cli-error.ts';
import type { Command, CommandContext } from '../command.ts';
import { problemLines } from '../render.ts';
import { safeText } from '../safe-text.ts';
import type { CaseTold, PolicyTested } from '../server-door.ts';
import { table } from '../terminal.ts';

/** `policy test`. */
export const policyTest: Command = {
  name: 'policy test',
  summary: 'decide the cases of files, and compare with what they expect',
  description:
    'Each case is a made-up action with its circumstances and the verdict that the policy should give. Nothing is asked of any target, and the clock is not read. Without files, all `*.test.yaml` beside the policies are run. Tells which rules no case reached.',
  arguments: [{ name: 'file', summary: 'files of cases', optional: true, many: true }],
  options: [
    { flags: '--config <file>', summary: 'configuration file (exequatur.yaml)' },
    { flags: '--inventory <file>', summary: 'inventory instead of the configured one' },
    { flags: '--policy <file>', summary: 'policy instead of the configured ones', many: true },
    { flags: '--name <text>', summary: 'only cases whose name contains it' },
  ],
  client: false,
  examples: [
    'exequatur policy test',
    'exequatur policy test shop.test.yaml --policy shop.yaml --inventory inventory.yaml',
    'exequatur policy test --name refund',
  ],
  exits: [0, 1],
  async run(context, given) {
    const door = await context.server();
    const tested = await door.policyTest({
      directory: context.terminal.directory,
      config: given.text('config') ?? 'exequatur.yaml',
      files: given.words,
      inventory: given.text('inventory'),
      policies: given.texts('policy'),
      name: given.text('name'),
    });
    const failed = tested.cases.filter(({ ok }) => !ok);
    context.tell({ ok: refusalOf(tested, given.text('name')) === undefined, ...tested });
    for (const problem of tested.problems) {
      for (const line of problemLines(problem, context.paint)) context.say(line);
    }
    sayCases(context, tested.cases);
    for (const each of failed) sayFailure(context, each);
    if (tested.cases.length > 0) sayCoverage(context, tested);
    const refusal = refusalOf(tested, given.text('name'));
    if (refusal !== undefined) throw refusal;
    return 0;
  },
};

function refusalOf(
  { problems, cases }: PolicyTested,
  name: string | undefined,
): CliError | undefined {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (errors > 0) {
    return new CliError({
      exit: 1,
      code: 'cases_invalid',
      message: `${String(errors)} ${errors === 1 ? 'error' : 'errors'}; no case was run`,
      hint: 'a case that is not read whole would test something else',
    });
  }
  if (cases.length === 0) {
    return new CliError({
      exit: 1,
      code: 'no_cases',
      message: name === undefined ? 'there are no cases' : `no case is called \`${name}\``,
      hint: 'name files of cases, or write some to `policy.test.yaml` beside the policy',
    });
  }
  const failed = cases.filter(({ ok }) => !ok).length;
  if (failed === 0) return undefined;
  return new CliError({
    exit: 1,
    code: 'cases_failed',
    message: `${String(failed)} of ${casesText(cases.length)} failed`,
    hint: 'change the policy, or the case where the policy is right',
  });
}

function casesText(count: number): string {
  return `${String(count)} ${count === 1 ? 'case' : 'cases'}`;
}

function sayCases(context: CommandContext, cases: readonly CaseTold[]): void {
  if (cases.length === 0) return;
  const rows = cases.map(({ name, expected, got, ok }) => [
    safeText(name),
    wordsOf(expected.verdict, expected.findings),
    wordsOf(got.verdict, expected.findings === undefined && ok ? undefined : got.findings),
    ok ? context.paint('good', '✓') : context.paint('bad', '✗'),
  ]);
  for (const line of table([['case', 'expected', 'got', ''], ...rows])) context.say(line);
}

/** A verdict with its findings: each code once, as it was expected. */
function wordsOf(
  verdict: string,
  findings: readonly { readonly code: string }[] | undefined,
): string {
  const codes = new Set((findings ?? []).map(({ code }) => code));
  return safeText([verdict, [...codes].toSorted().join(', ')].filter(Boolean).join(': '));
}

function sayFailure(context: CommandContext, { name, file, line, got }: CaseTold): void {
  context.say('');
  context.say(`${context.paint('bad', '✗')} ${safeText(name)} (${safeText(file)}:${String(line)})`);
  const rows = got.findings.map(({ code, rule, message }) => [
    ' ',
    safeText(code),
    safeText(rule ?? ''),
    safeText(message),
  ]);
  for (const text of table(rows)) context.say(text);
}

function sayCoverage(context: CommandContext, { cases, rules }: PolicyTested): void {
  const never = rules.filter((rule) => rule.cases.length === 0);
  const covered = rules.length - never.length;
  context.say('');
  const passed = cases.filter(({ ok }) => ok).length;
  context.say(
    `${String(passed)} of ${casesText(cases.length)} as expected · ${String(covered)} of ${String(rules.length)} rules matched in some case`,
  );
  const rows = never.map(({ id, effect, file, line }) => [
    ' never matched:',
    safeText(id),
    safeText(effect),
    safeText(`${file}:${String(line)}`),
  ]);
  for (const text of table(rows)) context.say(context.paint('waiting', text));
}
