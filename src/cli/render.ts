/** Actions, findings and values as lines for people. Everything from the wire is made safe here. */
import type { ActionView } from '../protocol/actions.ts';
import type { ConsentView } from '../protocol/answers.ts';
import type { DocumentProblem } from '../protocol/errors.ts';
import type { FindingView } from '../protocol/finding-view.ts';
import { safeText } from './safe-text.ts';
import { styleOfState, table, type Paint } from './terminal.ts';

const EXECUTED_WORDS: Readonly<Record<ActionView['executed'], string>> = {
  yes: 'executed',
  no: 'not executed',
  partly: 'perhaps executed in part',
  unknown: 'unknown whether executed',
};

/** What an action is, where it stands, and why. */
export function actionLines(action: ActionView, paint: Paint): readonly string[] {
  const state = paint(styleOfState(action.state), action.state.replaceAll('_', ' ').toUpperCase());
  const head = [
    action.state === 'not_executed' ? state : `${state}, ${EXECUTED_WORDS[action.executed]}`,
    placeOf(action),
    action.id,
  ];
  const findings = [...(action.waitingFor ?? []), ...(action.findings ?? [])];
  return [
    head.join(' · '),
    safeText(action.message),
    ...findingLines(findings),
    ...(action.shadow ?? []).map(
      ({ rule, would }) => `in shadow: ${safeText(rule)} would ${safeText(would)}`,
    ),
    ...(action.outcome === undefined
      ? []
      : [`outcome: ${safeText(action.outcome.code)} · ${safeText(action.outcome.message)}`]),
    ...(action.result === undefined || action.result === null
      ? []
      : [`result: ${valueText(action.result)}`]),
  ];
}

/** The operation, and where: `refund · shop-payments (production)`. */
export function placeOf({
  operation,
  target,
  environment,
}: Pick<ActionView, 'operation' | 'target' | 'environment'>): string {
  const where = environment === undefined ? '' : ` (${safeText(environment)})`;
  return `${safeText(operation)} · ${safeText(target)}${where}`;
}

const MARKS: Readonly<Record<NonNullable<FindingView['status']>, string>> = {
  met: '✓',
  unmet: '✗',
  undetermined: '?',
  impossible: '✗',
};

/** One line a finding: mark, code, rule, and what it says. */
export function findingLines(findings: readonly FindingView[]): readonly string[] {
  return table(
    findings.map((finding) => [
      ` ${MARKS[finding.status ?? 'unmet']}`,
      safeText(finding.code),
      finding.rule === undefined
        ? ''
        : safeText(`${finding.rule.id} ${finding.rule.file}:${String(finding.rule.line)}`),
      safeText(finding.message ?? countText(finding)),
      finding.change === undefined ? '' : `or: ${safeText(finding.change)}`,
    ]),
  );
}

function countText({ have, need, from }: FindingView): string {
  if (have === undefined || need === undefined) return '';
  return `${String(have)} of ${String(need)}${from === undefined ? '' : ` from ${from}`}`;
}

/** A value as JSON on one line. */
export function valueText(value: unknown): string {
  return safeText(JSON.stringify(value) ?? 'none');
}

/** An instant as people read it, in UTC: `2026-11-22 03:12:07`. */
export function instantText(instant: string): string {
  return safeText(instant)
    .replace('T', ' ')
    .replace(/(?:\.\d+)?Z$/u, '');
}

/** A duration as people read it: `40 ms`, `12 s`, `3 min`, `2 h`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${String(Math.round(ms))} ms`;
  if (ms < 120_000) return `${String(Math.round(ms / 1000))} s`;
  if (ms < 7_200_000) return `${String(Math.round(ms / 60_000))} min`;
  return `${String(Math.round(ms / 3_600_000))} h`;
}

/** What a person is asked to consent to, whole. */
export function consentLines(consent: ConsentView, paint: Paint): readonly string[] {
  const { action, resolution, preview } = consent;
  const identity =
    resolution.identity === null ? 'was not asked who it is' : safeText(resolution.identity);
  return [
    paint(
      'strong',
      placeOf({
        operation: textOf(action['operation']),
        target: textOf(action['target']),
        environment: resolution.environment,
      }),
    ),
    ...table([
      ['  principal', valueText(action['principal'])],
      ...memberRows('  argument', action['args']),
      ['  system', `${identity}, ${durationText(resolution.ageMs)} ago`],
      ['  credential', safeText(resolution.credential ?? 'none')],
      ...Object.entries(resolution.files).map(([file, digest]) => [
        '  file',
        `${safeText(file)} ${safeText(digest)}`,
      ]),
      ['  effect', safeText(resolution.effect)],
      ...(preview === null
        ? [['  preview', 'none: only acting would show what it does']]
        : [
            ...memberRows('  would do', preview.material),
            ...memberRows('  shown only', preview.context),
            ['  looked at', `${durationText(preview.ageMs)} ago`],
          ]),
      ['  expires', instantText(consent.expiresAt)],
      ...consent.asks.map((ask) => [
        '  asked of you',
        `${ask.kind} as ${safeText(ask.from)}, ${String(ask.have)} of ${String(ask.need)}, good for ${durationText(ask.validForMs)}`,
      ]),
      ...(consent.agentNote === undefined
        ? []
        : [['  the agent says', JSON.stringify(safeText(consent.agentNote))]]),
      ['  consent', consent.consent],
    ]),
    ...findingLines(consent.findings),
  ];
}

function memberRows(label: string, value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).map(([name, member]) => [
    label,
    `${safeText(name)} = ${valueText(member)}`,
  ]);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : valueText(value);
}

/** One fault of a configuration document as editors understand it, and what to do. */
export function problemLines(problem: DocumentProblem, paint: Paint): readonly string[] {
  const { file, line, column, severity, message, hint } = problem;
  const place = `${safeText(file)}:${String(line)}:${String(column)}`;
  return [
    `${place}: ${paint(severity === 'error' ? 'bad' : 'waiting', severity)}: ${safeText(message)}`,
    ...(hint === undefined ? [] : [`  ${paint('strong', 'hint:')} ${safeText(hint)}`]),
  ];
}
