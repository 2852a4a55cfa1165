/** An explanation as text for people (DESIGN section 9). No colours; times in UTC. */
import type { Explanation, ExplanationLine, RunsWhen } from '../explain.ts';
import { formatInstant, type Instant } from '../instant.ts';
import type { Alternative } from './alternatives.ts';

const HEADLINES = {
  admit: 'ADMITTED',
  hold: 'HELD, not executed',
  deny: 'DENIED, not executed',
} as const;

const MARKS = { met: '✓', unmet: '✗', undetermined: '?' } as const;

/** The text, line by line, without a newline at the end. */
export function renderExplanation(explanation: Explanation): string {
  const { verdict, what, target, environment, agent, delegator, now } = explanation;
  const where = environment === undefined ? target : `${target} (${environment})`;
  const who = delegator === undefined ? agent : `${agent} for ${delegator}`;
  const proposed = timeText(explanation.proposedAt, now);
  const expires = timeText(explanation.deadline, now);
  return [
    `${HEADLINES[verdict]} · ${what} · ${where}`,
    `agent ${who} · proposed ${proposed} · expires ${expires} UTC`,
    ...lineTexts(explanation.lines),
    ...runsWhenTexts(explanation),
    ...explanation.or.map((alternative) => `or: ${alternativeText(alternative)}`),
    ...explanation.shadow.map(
      ({ rule, would }) => `in shadow: ${rule.id} (${placeText(rule)}) would ${would}`,
    ),
  ].join('\n');
}

function lineTexts(lines: readonly ExplanationLine[]): readonly string[] {
  const rules = lines.flatMap(({ rule }) => rule ?? []);
  // mutant (constant): an id has a letter.
  const idWidth = Math.max(0, ...rules.map((rule) => rule.id.length));
  // mutant (constant): a place has a colon.
  const placeWidth = Math.max(0, ...rules.map((rule) => placeText(rule).length));
  return lines.map(({ mark, rule, text }) => {
    if (rule === undefined) return ` ${MARKS[mark]} ${text}`;
    const place = placeText(rule).padEnd(placeWidth);
    return ` ${MARKS[mark]} ${rule.effect.padEnd(7)}  ${rule.id.padEnd(idWidth)}  ${place}  ${text}`;
  });
}

function placeText({ position }: NonNullable<ExplanationLine['rule']>): string {
  // The folder and the name are enough to find it, and leave room for the reason.
  const file = position.file.split('/').slice(-2).join('/');
  return `${file}:${String(position.line)}`;
}

function runsWhenTexts({ runsWhen, now }: Explanation): readonly string[] {
  if (runsWhen.length === 0) return [];
  const texts = runsWhen.map((wait) => waitText(wait, now));
  const [only] = texts;
  // mutant: of one there is a first.
  if (texts.length === 1 && only !== undefined) return [`runs when: ${only} (runs at once)`];
  return ['runs when all of this is so:', ...texts.map((text) => ` - ${text}`)];
}

function waitText({ text, from, by }: RunsWhen, now: Instant): string {
  if (from !== undefined) return `${text}, at ${timeText(from, now)}`;
  return by === undefined ? text : `${text} by ${timeText(by, now)}`;
}

function alternativeText({ change, stillNeeds, unread, needsPeople }: Alternative): string {
  const needs = needsPeople ? [] : ['needs nobody'];
  const waits = stillNeeds.length === 0 ? [] : [`still waits for ${stillNeeds.join(', ')}`];
  const open = unread.length === 0 ? '' : ` (not read yet: ${unread.join(', ')})`;
  return `${change} ${[...needs, ...waits].join(', ')}${open}`;
}

/** Hours and minutes on the same day, else with the date. */
function timeText(instant: Instant, now: Instant): string {
  // mutant (text): an instant has both.
  const [day = '', time = ''] = formatInstant(instant).split('T');
  const sameDay = formatInstant(now).startsWith(day);
  return sameDay ? time.slice(0, 5) : `${day} ${time.slice(0, 5)}`;
}
