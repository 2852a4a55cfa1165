/**
 * A bit turned in each stored field, behind the layer's back: it is noticed or refused, or changes nothing
 * of what is sent, decided and shown. What is not noticed stands in `flip-gaps.ts`, exactly: a field that
 * is missing there is a violation, and so is one that is noticed by now.
 */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DATABASE_FILE } from '../../../src/stores/sqlite/files.ts';
import { Bank } from '../bank.ts';
import { flipsOf, write, type Flip } from '../flip-columns.ts';
import { EMPTY_TABLES, GAPS, type Gap, type KnownGap, UNSTRUCK } from '../flip-gaps.ts';
import { spread } from '../machine.ts';
import { goOn, prepare, STORY_OPTIONS, type Prepared, type Told } from '../flip-story.ts';
import type { FaultRow, Ran, RunAsked } from '../row.ts';
import type { ShopParts } from '../shop.ts';

/**
 * The row. A short run strikes only where a gap is known: everything that decides, and a part of what is
 * only shown, another one each time. What is new a long run finds.
 */
export const bytesFlipped: FaultRow = {
  name: 'bytes-flipped',
  title: 'a bit turned in each stored field, but for the known gaps',
  quick: 36,
  long: 1_000_000,
  run,
};

/** States in which a step went through. */
const PASSED: ReadonlySet<string> = new Set(['succeeded', 'executing', 'failed']);

async function run({ count, progress }: RunAsked): Promise<Ran> {
  const bank = await Bank.start();
  // Durability is not the point here, and memory is faster.
  const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const folder = mkdtempSync(join(base, 'exequatur-fault-'));
  try {
    const template = join(folder, 'template');
    const shop = { ...STORY_OPTIONS, targetPort: bank.port };
    const prepared = await prepare({ ...shop, directory: template });
    const story = new Story({ bank, prepared, template, shop, work: join(folder, 'work') });
    const { flips: all, emptyTables } = flipsOf(join(template, DATABASE_FILE));
    const flips = all.filter(({ table, column }) => UNSTRUCK[`${table}.${column}`] === undefined);
    const control = await story.tell();
    const violations = controlViolations(control, emptyTables);
    const isWhole = count >= flips.length;
    const judged = isWhole
      ? await strikeAll(story, { control, flips, progress })
      : await strikeGaps(story, { control, flips, progress }, gapsFor(count));
    const ran = { runs: judged.runs, violations: [...violations, ...judged.violations] };
    if (!isWhole || flips.length === all.length) return ran;
    const why = Object.entries(UNSTRUCK).map(([field, reason]) => `${field}: ${reason}`);
    return { ...ran, skipped: { count: all.length - flips.length, why: why.join('; ') } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await bank.close();
  }
}

interface Striking {
  readonly control: Told;
  readonly flips: readonly Flip[];
  readonly progress: (done: number) => void;
}

/** Every flip of every field: what is not noticed is known, and what is known is not noticed. */
async function strikeAll(story: Story, { control, flips, progress }: Striking): Promise<Ran> {
  const found = new Map<string, Gap>();
  const violations: string[] = [];
  let runs = 0;
  for (const flip of flips) {
    const told = await story.tell(flip);
    progress((runs += 1));
    const gap = told && gapBetween(control, told);
    if (told === undefined || gap === undefined) continue;
    const field = `${flip.table}.${flip.column}`;
    if (found.get(field) !== 'decides') found.set(field, gap);
    const known = GAPS[field]?.gap;
    if (known === 'decides' || known === gap) continue;
    const what = gap === 'decides' ? 'what is sent or decided' : 'what is shown';
    const where = `${field} (row ${String(flip.row)}, ${flip.how})`;
    violations.push(`${where} changes ${what} unnoticed: ${differenceOf(control, told)}`);
  }
  for (const [field, { gap }] of Object.entries(GAPS)) {
    if (found.get(field) !== gap) violations.push(closed(field, gap));
  }
  return { runs, violations };
}

/** For each known gap a flip that shows it still: else it is closed, and the list says too much. */
async function strikeGaps(
  story: Story,
  { control, flips, progress }: Striking,
  gaps: readonly (readonly [string, KnownGap])[],
): Promise<Ran> {
  const violations: string[] = [];
  let runs = 0;
  for (const [field, { gap, row, how }] of gaps) {
    const ofField = flips.filter((each) => `${each.table}.${each.column}` === field);
    // Rows that are ordered by a hash change places: the one that showed it is only tried first.
    const first = ofField.filter((each) => each.how === how && each.row === row);
    const rest = ofField.filter((each) => !first.includes(each));
    let isThere = false;
    for (const flip of [...first, ...rest]) {
      if (isThere) break;
      const told = await story.tell(flip, { steps: gap === 'decides' });
      isThere = told !== undefined && shows(control, told, gap);
    }
    if (!isThere) violations.push(closed(field, gap));
    progress((runs += 1));
  }
  return { runs, violations };
}

/** As many as are asked for, first of all those that decide and those of the ledger. */
function gapsFor(count: number): readonly (readonly [string, KnownGap])[] {
  const all = Object.entries(GAPS);
  const weighty = all.filter(
    ([field, { gap }]) => gap === 'decides' || /^(?:ledger|payload)/u.test(field),
  );
  const others = all.filter((each) => !weighty.includes(each));
  return [...weighty, ...spread(others, Math.max(0, count - weighty.length))];
}

/** Whether the gap shows; one that changes only what is shown is looked at without going on. */
function shows(control: Told, told: Told, gap: Gap): boolean {
  if (gap === 'decides') return gapBetween(control, told) === 'decides';
  return told.steps['open'] === undefined && told.shown !== control.shown;
}

function closed(field: string, gap: Gap): string {
  return `the known gap ${field} (${gap}) is closed: take it from the list`;
}

interface StoryParts {
  readonly bank: Bank;
  readonly prepared: Prepared;
  /** The store that every telling begins with a copy of. */
  readonly template: string;
  readonly shop: Omit<ShopParts, 'directory'>;
  readonly work: string;
}

class Story {
  readonly #parts: StoryParts;

  constructor(parts: StoryParts) {
    this.#parts = parts;
  }

  tell(): Promise<Told>;
  /** `undefined` where the file cannot hold such a flip. Without `steps` it is only looked at. */
  tell(flip: Flip, options?: { readonly steps: boolean }): Promise<Told | undefined>;
  async tell(flip?: Flip, { steps } = { steps: true }): Promise<Told | undefined> {
    const { bank, prepared, template, shop, work } = this.#parts;
    rmSync(work, { recursive: true, force: true });
    cpSync(template, work, { recursive: true });
    if (flip !== undefined && !write(join(work, DATABASE_FILE), flip)) return undefined;
    return goOn({ ...shop, directory: work }, { prepared, bank, steps });
  }
}

/** A story that does not go as it should shows nothing. */
function controlViolations(control: Told, emptyTables: readonly string[]): readonly string[] {
  const expected = {
    recover: '1',
    over: 'held',
    lost: 'unknown',
    unknown: 'unknown',
    late: 'expired',
    halted: 'held',
    stale: 'challenge_invalid',
    staleAgain: 'held',
    held: 'succeeded',
    key: 'bot ',
    again: 'succeeded',
    once: 'denied',
    after: 'succeeded',
    blind: 'held',
    aide: 'succeeded',
    fits: 'succeeded',
  };
  const found = Object.entries(expected)
    .filter(([name, state]) => control.steps[name] !== state)
    .map(
      ([name, state]) => `untouched, \`${name}\` is ${control.steps[name] ?? '-'}, not ${state}`,
    );
  const unexpected = emptyTables.filter((table) => !EMPTY_TABLES.includes(table));
  return [
    ...found,
    ...unexpected.map((table) => `the table ${table} is empty: let the story fill it, or list it`),
  ];
}

/** What a flip did that nothing noticed. To refuse more than before is to notice. */
function gapBetween(control: Told, told: Told): Gap | undefined {
  const surplus = [...told.arrived];
  for (const arrival of control.arrived) {
    const place = surplus.indexOf(arrival);
    if (place >= 0) surplus.splice(place, 1);
  }
  const wentThrough = Object.entries(told.steps).some(
    ([name, state]) =>
      state !== control.steps[name] &&
      (PASSED.has(state) || (state === 'held' && control.steps[name] === 'challenge_invalid')),
  );
  if (surplus.length > 0 || wentThrough) return 'decides';
  const same = Object.entries(control.steps).every(([name, state]) => told.steps[name] === state);
  return same && told.shown !== control.shown ? 'shows' : undefined;
}

function differenceOf(control: Told, told: Told): string {
  const steps = Object.entries(told.steps)
    .filter(([name, state]) => control.steps[name] !== state)
    .map(([name, state]) => `${name} is ${state}, not ${control.steps[name] ?? '-'}`);
  const arrived = told.arrived.filter((each) => !control.arrived.includes(each));
  return [...steps, ...arrived.map((each) => `\`${each}\` arrived`)].join('; ');
}
