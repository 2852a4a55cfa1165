/** kill -9 at a random instant under load, with the bank in a process of its own; also while opening. */
import type { Journal } from '../journal.ts';
import { recoverAndInspect } from '../inspect.ts';
import { Layer } from '../layer.ts';
import { Load } from '../load.ts';
import { between, pause } from '../machine.ts';
import type { FaultRow, Ran, RunAsked } from '../row.ts';
import { inStores } from '../stores.ts';

/** Kills of one store before the next begins empty. */
const KILLS_PER_STORE = 10;
const IN_FLIGHT = 16;
const ANSWERS_MAX = 40;
/** In a hundred kills, how many come while the layer opens and recovers. */
const OPENING_PERCENT = 15;
const OPENING_MS_MAX = 350;

/** The row. */
export const killAtRandom: FaultRow = {
  name: 'kill-at-random',
  title: 'kill -9 at a random instant under load',
  quick: 3,
  long: 1000,
  run,
};

async function run({ count, progress, flaw }: RunAsked): Promise<Ran> {
  const violations: string[] = [];
  let runs = 0;
  await inStores({ count, perStore: KILLS_PER_STORE }, { flaw }, async (place, kills) => {
    for (let kill = 0; kill < kills; kill += 1) {
      await killOnce(new Layer(place.parts), place.journal);
      violations.push(...(await recoverAndInspect(place.parts, place)));
      progress((runs += 1));
    }
  });
  return { runs, violations };
}

async function killOnce(layer: Layer, journal: Journal): Promise<void> {
  if (between(1, 100) <= OPENING_PERCENT) {
    await pause(between(0, OPENING_MS_MAX));
    await layer.kill();
    return;
  }
  await layer.opened;
  const load = new Load(layer, { journal, inFlight: IN_FLIGHT, haltsPercent: 2 });
  await load.someAnswers(ANSWERS_MAX);
  load.stop();
  await layer.kill();
}
