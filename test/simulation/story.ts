/** Tells a history to a person: who did what and when, without what does not matter to the law broken. */
import type { Violation } from './checker.ts';
import { listOf, textOf, type Entry, type Happening, type History, type Seen } from './history.ts';

/** The story of a broken law, one line a happening. */
export function storyOf(history: History, violation: Violation, seed: number): string {
  const names = new Names();
  const lines = history
    .filter(({ atMs }) => atMs <= violation.atMs)
    .flatMap((happening) => lineOf(names, happening));
  return [
    `seed ${String(seed)} breaks ${violation.law} after ${String(violation.atMs)} ms: ${violation.message}`,
    '',
    ...lines,
    `${time(violation.atMs)}  ✗ ${violation.message}`,
  ].join('\n');
}

/** The whole history, one line a happening. */
export function tellAll(history: History): string {
  const names = new Names();
  return history.flatMap((happening) => lineOf(names, happening)).join('\n');
}

/** Actions, executions and halts by number, in the order in which they appear. */
class Names {
  readonly #known = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  of(sort: string, id: string): string {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const count = (this.#counts.get(sort) ?? 0) + 1;
    this.#counts.set(sort, count);
    const name = `${sort} ${String(count)}`;
    this.#known.set(id, name);
    return name;
  }
}

function lineOf(names: Names, happening: Happening): readonly string[] {
  const text = textOfSeen(names, happening);
  return text === undefined ? [] : [`${time(happening.atMs)}  ${text}`];
}

function time(atMs: number): string {
  return `${String(atMs).padStart(7)} ms`;
}

function textOfSeen(names: Names, seen: Seen): string | undefined {
  switch (seen.kind) {
    case 'entry':
      return textOfEntry(names, seen.entry);
    case 'clock':
      return `the wall clock is ${String(seen.aheadMs)} ms ahead of true time`;
    case 'proposed':
      return `${seen.agent} proposes ${seen.what} ${seen.content}`;
    case 'unanswered':
      return 'a proposal is not answered';
    case 'told':
      return `somebody is told: ${names.of('action', seen.action)} is ${seen.state}, executed: ${seen.executed}`;
    case 'refused':
      return `a proposal is refused: ${seen.code}`;
    case 'answering':
      return `${seen.person} says ${seen.decision} to ${names.of('action', seen.action)}`;
    case 'accepted':
      return `the answer of ${seen.person} is accepted`;
    case 'word':
      return `${seen.person} says that ${names.of('action', seen.action)} is ${seen.outcome}`;
    case 'halted':
      return `${seen.engine} acknowledges ${names.of('halt', seen.halt)}; being sent: ${
        seen.sent.map((id) => names.of('action', id)).join(', ') || 'nothing'
      }`;
    case 'began':
      return `${seen.engine} sends ${names.of('execution', seen.execution)} of ${names.of('action', seen.action)}`;
    case 'arrived':
      return `${names.of('execution', seen.execution)} arrives${seen.copy > 1 ? ' doubled' : ''} ${
        seen.tookHold ? 'and takes hold' : 'and does nothing'
      }: ${seen.content}`;
    case 'replied':
      return `${names.of('execution', seen.execution)} comes to its engine as ${seen.outcome}`;
    case 'evidence':
      return `the system ${seen.honest ? 'says' : 'lies'}: ${names.of('execution', seen.execution)} is ${seen.outcome}`;
    case 'lied':
      return `the system lies in its reply to ${names.of('execution', seen.execution)}`;
    case 'fact':
      return undefined;
    case 'engine':
      return `${seen.engine} ${seen.what}`;
    case 'trouble':
      return `${seen.engine} meets \`${seen.code}\``;
    case 'note':
      return seen.text;
    case 'ended':
      return `at the end ${names.of('action', seen.action)} is ${seen.state}`;
    default:
      return seen satisfies never;
  }
}

function textOfEntry(names: Names, { kind, action, body }: Entry): string {
  const who = action === '' ? '' : `${names.of('action', action)} `;
  switch (kind) {
    case 'proposed':
      return `recorded: ${who}proposed by ${textOf(body['agent'])}`;
    case 'decided':
      return `recorded: ${who}${textOf(body['verdict'])}: ${listOf(body['codes']).map(textOf).join(', ')}`;
    case 'crossed':
      return `recorded: ${who}crosses as ${names.of('execution', textOf(body['execution']))}`;
    case 'approved':
      return `recorded: ${who}approved by ${textOf(body['approver'])}`;
    case 'settled':
    case 'resolved':
      return `recorded: ${who}${kind} as ${textOf(body['outcome'])} (${textOf(body['code'])})`;
    case 'halted':
      return `recorded: ${names.of('halt', textOf(body['halt']))} over ${JSON.stringify(body['scope'])}`;
    case 'resumed':
      return `recorded: ${names.of('halt', textOf(body['halt']))} is over`;
    case 'directory':
      return `recorded: ${textOf(body['change'])} of ${textOf(body['name'])}`;
    default:
      return `recorded: ${who}${kind}`;
  }
}
