/** For each flaw, the smallest setting in which it can show, with no other rule that would catch it first. */
import { FLAWS, type Flaw, type Setting } from './setting.ts';

const SMALL: Setting = {
  engines: 2,
  actions: 1,
  approvers: 0,
  effectKeys: 'one',
  limit: 2,
  clockSteps: 0,
  controls: 'kept',
  reduced: false,
};

const BY_LAW: Readonly<Partial<Record<(typeof FLAWS)[Flaw], Partial<Setting>>>> = {
  8: { engines: 1, approvers: 2, clockSteps: 1 },
  10: { engines: 1, approvers: 2 },
  11: { actions: 2, effectKeys: 'two', limit: 1 },
};

/** Where this flaw is searched for. */
export function flawedSetting(flaw: Flaw): Setting {
  const actions = flaw === 'an engine overlooks who is at the same effect' ? 2 : SMALL.actions;
  return { ...SMALL, actions, ...BY_LAW[FLAWS[flaw]], flaw };
}
