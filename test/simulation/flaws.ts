/**
 * Defects, planted on purpose: each breaks one rule that the layer rests on, and the simulation must
 * find it. A law that no flaw can break is not being checked.
 */
import type { AdvanceCommand, AnswerCommand } from '../../src/engine/ports.ts';
import type { LocalFacts } from '../../src/kernel/decision.ts';
import { addMs } from '../../src/kernel/instant.ts';

/** What is broken, and the law that falls with it. */
export const FLAWS = {
  'sends while it prepares': 'law 1',
  'sends other arguments than were decided': 'law 2',
  'does not see who is at the same effect': 'law 3',
  'sends again after no answer': 'law 4',
  'calls absence conclusive while a request travels': 'law 5',
  'sends without asking whether it still may': 'law 6',
  'does not see halts': 'law 7',
  'does not see that somebody is revoked': 'law 7',
  'judges by a clock that is slow': 'law 8',
  'says that a silence was no execution': 'law 9',
  'counts the yes of an owner': 'law 10',
  'sees no use of limits': 'law 11',
  'never looks at a hold again': 'progress',
} as const;

/** A planted defect. */
export type Flaw = keyof typeof FLAWS;

type Bend = (local: LocalFacts) => LocalFacts;

const BENDS: Partial<Record<Flaw, Bend>> = {
  'does not see who is at the same effect': (local) => ({ ...local, effect: undefined }),
  'does not see halts': (local) => ({ ...local, halts: [] }),
  'does not see that somebody is revoked': (local) => ({
    ...local,
    agent: local.agent && { ...local.agent, live: true },
    people: Object.fromEntries(
      Object.entries(local.people).map(([name, state]) => [name, { ...state, live: true }]),
    ),
  }),
  'counts the yes of an owner': (local) => ({
    ...local,
    agent: local.agent && { ...local.agent, owners: [] },
  }),
  'sees no use of limits': (local) => ({
    ...local,
    limits: Object.fromEntries(
      Object.keys(local.limits).map((key) => [key, { used: '0', frees: [] }]),
    ),
  }),
};

/** The local facts as a flawed layer sees them. */
export function bent(flaw: Flaw | undefined, local: LocalFacts): LocalFacts {
  const bend = flaw === undefined ? undefined : BENDS[flaw];
  return bend === undefined ? local : bend(local);
}

/** The command of a flawed layer. */
export function bentAdvance(flaw: Flaw | undefined, command: AdvanceCommand): AdvanceCommand {
  if (flaw === undefined) return command;
  const slowMs = flaw === 'judges by a clock that is slow' ? 1500 : 0;
  return {
    ...command,
    judge: (now, local) => command.judge(addMs(now, -slowMs), bent(flaw, local)),
  };
}

/** The answer of a flawed layer. */
export function bentAnswer(flaw: Flaw | undefined, command: AnswerCommand): AnswerCommand {
  if (flaw === undefined) return command;
  return {
    ...command,
    judge: (now, record, local) => command.judge(now, record, bent(flaw, local)),
  };
}
