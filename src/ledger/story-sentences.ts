/** What an action's life comes to, in sentences for people: what is proved of it, and what is not. */
import type { Answer, Story } from './story.ts';
import { timeText } from './time-text.ts';

/** The sentences about one life. */
export interface StorySentences {
  readonly summary: string;
  readonly proved: readonly string[];
  readonly unproved: readonly string[];
}

/** Tells a life that was proved. */
export function storySentences(story: Story): StorySentences {
  const { proposed, state } = story;
  const what = `\`${proposed.operation}\` at \`${proposed.target}\``;
  return {
    summary: `${state.replace('_', ' ')}: ${what} by agent \`${proposed.agent}\`, action ${story.action}`,
    proved: [
      `agent \`${proposed.agent}\`${forText(story)} proposed ${what} at ${timeText(proposed.entry.at)}, digest ${proposed.digest}`,
      ...story.answers.map((answer) => answerText(answer, story)),
      ...executionTexts(story),
      ...story.erasures.map(
        ({ entry, by }) => `what it carried was erased at ${timeText(entry.at)} by \`${by}\``,
      ),
    ],
    unproved: [...openTexts(story), ...isolationTexts(story), ...erasedTexts(story)],
  };
}

function forText({ proposed: { delegator } }: Story): string {
  return delegator === null ? '' : ` for \`${delegator}\``;
}

function answerText({ entry, approver, expiresAt, consumed }: Answer, { crossing }: Story): string {
  const used = consumed
    ? ', and the crossing used it for exactly what it was given for'
    : crossing === undefined
      ? ''
      : ', and the crossing did not use it';
  return `${entry.kind} by \`${approver}\` at ${timeText(entry.at)} until ${timeText(expiresAt)}${used}`;
}

function executionTexts({ decision, crossing, ending, barred, state }: Story): readonly string[] {
  const texts: string[] = [];
  if (barred > 0) {
    texts.push(`${String(barred)} crossings were barred before anything was sent`);
  }
  if (crossing !== undefined) {
    texts.push(
      `crossed at ${timeText(crossing.entry.at)} under policy ${decision?.policy ?? ''}, let through by ${rulesText(decision?.rules ?? decision?.matched)}, execution ${crossing.execution}`,
    );
  } else if (decision !== undefined) {
    texts.push(
      `not executed: ${state}, decided at ${timeText(decision.entry.at)} because of ${decision.codes.join(', ')}`,
    );
  }
  if (ending !== undefined) {
    const by = ending.by === null ? '' : `, by the word of \`${ending.by}\``;
    texts.push(
      `one execution, which ended ${ending.outcome.replace('_', ' ')} (${ending.code}) at ${timeText(ending.entry.at)}${by}`,
    );
  }
  return texts;
}

function rulesText(matched: readonly string[] = []): string {
  return matched.map((rule) => `\`${rule}\``).join(', ');
}

function openTexts({ state }: Story): readonly string[] {
  if (state === 'executing') return ['how it ended: it is not settled as of this checkpoint'];
  if (state === 'held') return ['what became of it: it is held as of this checkpoint'];
  if (state === 'unknown') return ['whether it took effect: the outcome is unknown'];
  return state === 'proposed' ? ['what was decided: that is not in the receipt'] : [];
}

function isolationTexts({ crossing }: Story): readonly string[] {
  if (crossing?.entry.body['isolation'] !== 'none') return [];
  return ['that the agent could not go around the layer: nothing separated them (isolation: none)'];
}

function erasedTexts({ erased }: Story): readonly string[] {
  return erased.map(
    ({ sequence, payload }) =>
      `what \`${payload}\` of entry ${String(sequence)} said: it was erased, or is not in the receipt`,
  );
}
