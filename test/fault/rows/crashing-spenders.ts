/**
 * Many spenders under one tight limit, at a bank that loses, refuses and delays its answers, while the
 * layer is killed again and again: never more than the limit is spent, and what is used is exactly what
 * arrived or may have.
 */
import { recoverAndInspect } from '../inspect.ts';
import { Layer } from '../layer.ts';
import { Load } from '../load.ts';
import type { FaultRow, Ran, RunAsked } from '../row.ts';
import { inStores } from '../stores.ts';

const KILLS_PER_STORE = 5;
const SPENDERS = 32;
/** Some forty average payments: the limit is reached within the first lives. */
const LIMIT = '100.00';
const ANSWERS_MAX = 60;

/** The row. */
export const crashingSpenders: FaultRow = {
  name: 'crashing-spenders',
  title: 'one tight limit, many spenders, kill -9 again and again',
  quick: 2,
  long: 300,
  run,
};

async function run({ count, progress, flaw }: RunAsked): Promise<Ran> {
  const violations: string[] = [];
  let runs = 0;
  const options = { flaw, limitMax: LIMIT };
  await inStores({ count, perStore: KILLS_PER_STORE }, options, async (place, kills) => {
    const { journal, parts } = place;
    for (let kill = 0; kill < kills; kill += 1) {
      const layer = new Layer(parts);
      await layer.opened;
      const load = new Load(layer, { journal, inFlight: SPENDERS, centsMax: 500 });
      await load.someAnswers(ANSWERS_MAX);
      load.stop();
      await layer.kill();
      violations.push(...(await recoverAndInspect(parts, place)));
      progress((runs += 1));
    }
  });
  return { runs, violations };
}
