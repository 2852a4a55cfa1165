/**
 * The production engine's own judgements, taken at its ports. A real `Engine` is run up to the point
 * where it hands its store a command; the command's `judge` is pure, and the search asks it again in
 * every state it reaches. So what decides, crosses, bars, settles, answers and resolves in the search is
 * `src/engine`, `src/approval` and `src/kernel` themselves; the search only plays store, target and time.
 */
import type { AdvanceCommand, AnswerCommand, ChangeCommand } from '../../../src/engine/ports.ts';
import type { ActionState } from '../../../src/engine/transition.ts';
import type { AdvanceWrite, ChangeName, ChangeWrite, Knowledge } from './judged.ts';
import { Stage } from './stage.ts';
import { PEOPLE, subjectPolicy, the, type Circumstances, type Person } from './subject.ts';

/** Everything the search asks of production code. All are pure, and remember what they were asked. */
export interface Production {
  advance(stored: boolean, knowledge: Knowledge, where: Circumstances): AdvanceWrite;
  /** Whether it is certain before any system is touched. */
  forecloses(where: Circumstances): boolean;
  change(name: ChangeName, state: ActionState): ChangeWrite;
  /** Whether the person's yes is stored. */
  approves(person: number, where: Circumstances): boolean;
  /** Whether the person's no ends the action. */
  rejects(person: number, where: Circumstances): boolean;
  /** Whether the last question before the first byte is answered yes. */
  begins(barred: boolean, late: boolean): boolean;
  /** How many judgements were made, each once. */
  readonly asked: () => number;
}

/** Runs the engine up to each of its commands, under a policy with so many approvers and such a limit. */
export async function production(approvers: number, limit: number): Promise<Production> {
  const stage = new Stage(subjectPolicy(approvers, limit));
  const knowledges: readonly Knowledge[] = ['foreclosed', 'unprepared', 'prepared'];
  const proposed = new Map<Knowledge, AdvanceCommand>();
  for (const knowledge of knowledges) {
    if (knowledge === 'prepared' && approvers > 0) continue;
    proposed.set(knowledge, await stage.captureProposal(knowledge));
  }
  stage.hold(the(proposed.get('unprepared')));
  const answers = new Map<Person, AnswerCommand>();
  for (const person of PEOPLE) answers.set(person, await stage.captureAnswer(person, 'approve'));
  stage.collectApprovals(answers);
  const rejections = new Map<Person, AnswerCommand>();
  for (const person of PEOPLE) rejections.set(person, await stage.captureAnswer(person, 'reject'));
  const held = new Map<Knowledge, AdvanceCommand>();
  for (const knowledge of knowledges) held.set(knowledge, await stage.captureAdvance(knowledge));
  const changes = await stage.captureChanges();
  const begins = await stage.tableOfSends();
  return new Remembered({ stage, proposed, held, answers, rejections, changes, begins });
}

interface Captured {
  readonly stage: Stage;
  readonly proposed: ReadonlyMap<Knowledge, AdvanceCommand>;
  readonly held: ReadonlyMap<Knowledge, AdvanceCommand>;
  readonly answers: ReadonlyMap<Person, AnswerCommand>;
  readonly rejections: ReadonlyMap<Person, AnswerCommand>;
  readonly changes: ReadonlyMap<ChangeName, ChangeCommand>;
  readonly begins: ReadonlyMap<string, boolean>;
}

const OCCUPANTS = ['none', 'held', 'executing', 'unknown'] as const;
const IGNORANCES = ['none', 'aliases', 'owners'] as const;
const KNOWLEDGES = ['foreclosed', 'unprepared', 'prepared'] as const;

/** Asks a captured judge once for each combination of what it is given. */
class Remembered implements Production {
  readonly #captured: Captured;
  readonly #advances = new Map<number, AdvanceWrite>();
  readonly #changes = new Map<ChangeName, Map<ActionState, ChangeWrite>>();
  readonly #approves = new Map<number, boolean>();
  readonly #foreclosed = new Map<number, boolean>();

  constructor(captured: Captured) {
    this.#captured = captured;
  }

  readonly asked = (): number => {
    let changes = 0;
    for (const byState of this.#changes.values()) changes += byState.size;
    return this.#advances.size + changes + this.#approves.size + this.#foreclosed.size;
  };

  advance(stored: boolean, knowledge: Knowledge, where: Circumstances): AdvanceWrite {
    const key = keyOf(where) * 8 + KNOWLEDGES.indexOf(knowledge) * 2 + (stored ? 1 : 0);
    const known = this.#advances.get(key);
    if (known !== undefined || this.#advances.has(key)) return known;
    const { stage, proposed, held } = this.#captured;
    const write = stage.judge(the((stored ? held : proposed).get(knowledge)), where);
    this.#advances.set(key, write);
    return write;
  }

  forecloses(where: Circumstances): boolean {
    const key = keyOf(where);
    const known = this.#foreclosed.get(key);
    if (known !== undefined) return known;
    const certain = this.#captured.stage.forecloses(where);
    this.#foreclosed.set(key, certain);
    return certain;
  }

  change(name: ChangeName, state: ActionState): ChangeWrite {
    let byState = this.#changes.get(name);
    if (byState === undefined) this.#changes.set(name, (byState = new Map()));
    const known = byState.get(state);
    if (known !== undefined || byState.has(state)) return known;
    const write = this.#captured.stage.judgeChange(the(this.#captured.changes.get(name)), state);
    byState.set(state, write);
    return write;
  }

  approves(person: number, where: Circumstances): boolean {
    return this.#answers(person, where, 0);
  }

  rejects(person: number, where: Circumstances): boolean {
    return this.#answers(person, where, 1);
  }

  #answers(person: number, where: Circumstances, no: 0 | 1): boolean {
    const key = keyOf(where) * 8 + person * 2 + no;
    const known = this.#approves.get(key);
    if (known !== undefined) return known;
    const { stage, answers, rejections } = this.#captured;
    const command = the((no === 1 ? rejections : answers).get(the(PEOPLE[person])));
    const written = stage.judgeAnswer(command, where).kind === 'write';
    this.#approves.set(key, written);
    return written;
  }

  begins(barred: boolean, late: boolean): boolean {
    return the(this.#captured.begins.get(`${String(barred)} ${String(late)}`));
  }
}

/** Circumstances as one whole number, below 2^25. */
function keyOf(where: Circumstances): number {
  let key: number = where.now;
  key = key * 2 + Number(where.halted);
  key = key * 2 + Number(where.revoked);
  key = key * 2 + Number(where.lostRole);
  key = key * 2 + Number(where.newEpoch);
  key = key * 256 + where.given;
  key = key * 16 + where.consumed;
  key = key * 4 + OCCUPANTS.indexOf(where.occupant);
  key = key * 4 + where.limitUsed;
  return key * 4 + IGNORANCES.indexOf(where.ignorance);
}
