/**
 * `npm run explore`: searches every state of a setting, prints how many there are and what each law came
 * to, then breaks the engine's rules one by one and prints the shortest story that shows each.
 */
import { parseArgs } from 'node:util';
import { explore, type Exploration } from './explore.ts';
import { flawedSetting } from './flawed.ts';
import { LAWS } from './laws.ts';
import { FLAWS, rulesOf, type Flaw, type Setting } from './setting.ts';

const USAGE = `usage: npm run explore -- [options]
  --engines N       engines that race (3)
  --actions N       actions that share a limit (2)
  --approvers 0|2   how many leads must approve (2)
  --effect-keys one|two   whether the actions are the same effect (one)
  --limit N         payments that the limit allows in a period (1)
  --clock-steps N   steps of the wall clock in one history (any number)
  --controls kept|fleeting   revocation, role and epoch as part of each state (kept), or chosen anew
                    at each transaction: more histories in fewer states
  --states-max N    gives up beyond so many states (60000000)
  --no-flaws        searches, and breaks nothing on purpose
  --json            one object a line`;

const { values } = parseArgs({
  options: {
    engines: { type: 'string', default: '3' },
    actions: { type: 'string', default: '2' },
    approvers: { type: 'string', default: '2' },
    'effect-keys': { type: 'string', default: 'one' },
    limit: { type: 'string', default: '1' },
    'clock-steps': { type: 'string', default: 'any' },
    controls: { type: 'string', default: 'kept' },
    'states-max': { type: 'string', default: '60000000' },
    'no-flaws': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** A whole number between the bounds. */
function whole(text: string, [least, most]: readonly [number, number]): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= least && number <= most) return number;
  throw new RangeError(
    `\`${text}\` is not a whole number from ${String(least)} to ${String(most)}\n${USAGE}`,
  );
}

function settingGiven(): Setting {
  const steps = values['clock-steps'];
  return {
    engines: whole(values.engines, [1, 6]),
    actions: whole(values.actions, [1, 3]),
    approvers: values.approvers === '0' ? 0 : 2,
    effectKeys: values['effect-keys'] === 'two' ? 'two' : 'one',
    limit: whole(values.limit, [1, 3]),
    clockSteps: steps === 'any' ? Infinity : whole(steps, [0, 3]),
    controls: values.controls === 'fleeting' ? 'fleeting' : 'kept',
    reduced: true,
  };
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
const grouped = (count: number): string => count.toLocaleString('en');

/** The search itself. Answers whether every law holds. */
async function searchWhole(setting: Setting): Promise<boolean> {
  const rules = await rulesOf(setting);
  let shownMs = performance.now();
  const found = explore(rules, {
    statesMax: whole(values['states-max'], [1, 2 ** 31]),
    progress: ({ states, transitions, depth, waiting }) => {
      if (values.json || performance.now() - shownMs < 5000) return;
      shownMs = performance.now();
      const counts = `${grouped(states)} states, ${grouped(transitions)} transitions`;
      console.log(`  … ${counts}, depth ${String(depth)}, ${grouped(waiting)} to go on from`);
    },
  });
  const mib = Math.round(process.resourceUsage().maxRSS / 1024);
  if (values.json) {
    const { states, transitions, depth, ms, counterExample } = found;
    const judgements = rules.production.asked();
    const ok = counterExample === undefined;
    const searched = { ...setting, clockSteps: values['clock-steps'] };
    console.log(
      JSON.stringify({ ...searched, states, transitions, depth, ms, judgements, mib, ok }),
    );
    return ok;
  }
  console.log(
    `${grouped(found.states)} states, ${grouped(found.transitions)} transitions, depth ${String(found.depth)}, ` +
      `${seconds(found.ms)} s, ${String(mib)} MiB; ` +
      `${grouped(rules.production.asked())} different judgements of the production code`,
  );
  tellLaws(found);
  return found.counterExample === undefined;
}

function tellLaws({ counterExample }: Exploration): void {
  if (counterExample === undefined) {
    for (const law of LAWS) console.log(`law ${String(law)}: holds in every state`);
    return;
  }
  console.log(`BROKEN, ${counterExample.law}`);
  tell(counterExample.story);
}

function tell(story: readonly string[]): void {
  for (const [at, sentence] of story.entries()) console.log(`  ${String(at + 1)}. ${sentence}`);
}

/** Breaks a rule. Answers whether the search found out. */
async function searchFlawed(flaw: Flaw): Promise<boolean> {
  const { states, ms, counterExample } = explore(await rulesOf(flawedSetting(flaw)), {
    statesMax: 1_000_000,
  });
  const ok = counterExample?.law.startsWith(`law ${String(FLAWS[flaw])}:`) === true;
  const { law = 'nothing found', story = [] } = counterExample ?? {};
  if (values.json) {
    console.log(JSON.stringify({ flaw, law, story, states, ms, ok }));
    return ok;
  }
  console.log(`\n${ok ? 'found' : 'NOT FOUND'}: ${flaw}: ${law}, in ${String(story.length)} steps`);
  tell(story);
  return ok;
}

async function main(): Promise<void> {
  let ok = await searchWhole(settingGiven());
  if (!values['no-flaws']) {
    for (const flaw of Object.keys(FLAWS) as Flaw[]) ok = (await searchFlawed(flaw)) && ok;
  }
  process.exitCode = ok ? 0 : 1;
}

if (values.help) {
  console.log(USAGE);
} else {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
