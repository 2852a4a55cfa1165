/**
 * The seeded simulation from the command line.
 *
 * usage: npm run simulate -- [--seeds N] [--from S] [--workers N] [--json]
 *        npm run simulate -- --seed S
 *
 * `--seed` replays one seed and tells its story. Without it, N seeds from S on are run; each that breaks
 * a law is shortened and told. Ends with 1 where a law is broken.
 */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { check } from './checker.ts';
import { planOf } from './plan.ts';
import { runSeeds, storyOfFailure, sumOf, type Ran } from './run-seeds.ts';
import type { Share } from './seeds-worker.ts';
import { tellAll } from './story.ts';
import { Simulator, simulationFolder } from './world.ts';

/** Broken laws told at most: the first of each sentence. */
const STORIES_MAX = 5;
const PROGRESS_SEEDS = 5000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
});

/** Removed however this ends: it lies in memory. */
const folder = simulationFolder();
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const broken = values.seed === undefined ? await runAll() : await replay(wholeNumber(values.seed));
process.exitCode = broken ? 1 : 0;

async function replay(seed: number): Promise<boolean> {
  const simulator = new Simulator(folder);
  try {
    const history = await simulator.run(planOf(seed));
    const [violation] = check(history);
    if (violation === undefined) {
      console.log(`${tellAll(history)}\n\nseed ${String(seed)} breaks no law`);
      return false;
    }
    console.log((await storyOfFailure(simulator, { seed, violation })).story);
    return true;
  } finally {
    simulator.close();
  }
}

async function runAll(): Promise<boolean> {
  const from = wholeNumber(values.from);
  const count = wholeNumber(values.seeds);
  const workers = Math.max(1, Math.min(wholeNumber(values.workers), count));
  const startedMs = performance.now();
  const ran = await runShared({ from, count, folder }, workers);
  const tookS = (performance.now() - startedMs) / 1000;
  const { failures } = ran;
  await tellFailures(failures);
  const sums = Object.entries(ran.counts).sort(([one], [other]) => (one < other ? -1 : 1));
  if (values.json) {
    const ok = failures.length === 0;
    console.log(JSON.stringify({ seeds: count, from, violations: failures.length, tookS, ok }));
  } else {
    for (const [name, sum] of sums) console.log(`${String(sum).padStart(10)}  ${name}`);
    console.log(
      `${String(count)} seeds from ${String(from)}: ${String(failures.length)} break a law; ` +
        `${tookS.toFixed(0)} s, ${(count / tookS).toFixed(0)} seeds a second on ${String(workers)} threads`,
    );
  }
  return failures.length > 0;
}

async function runShared(all: Share, workers: number): Promise<Ran> {
  let done = 0;
  const told = (): void => {
    done += 1;
    if (done % PROGRESS_SEEDS === 0) console.error(`${String(done)} of ${String(all.count)} seeds`);
  };
  const each = Math.ceil(all.count / workers);
  const shares = Array.from({ length: workers }, (_, index): Share => {
    const from = all.from + index * each;
    return { folder, from, count: Math.max(0, Math.min(each, all.from + all.count - from)) };
  });
  const parts =
    workers === 1
      ? [await runHere(all, told)]
      : await Promise.all(shares.map((share) => runThere(share, told)));
  return {
    failures: parts.flatMap(({ failures }) => failures),
    counts: parts.reduce((sum, { counts }) => sumOf(sum, counts), {}),
  };
}

async function runHere(share: Share, told: () => void): Promise<Ran> {
  const simulator = new Simulator(folder);
  try {
    return await runSeeds(simulator, share, told);
  } finally {
    simulator.close();
  }
}

function runThere(share: Share, told: () => void): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./seeds-worker.ts', import.meta.url), { workerData: share });
    worker.on('message', (message: 'ran' | Ran) => {
      if (message === 'ran') told();
      else resolve(message);
    });
    worker.on('error', reject);
  });
}

async function tellFailures(failures: Ran['failures']): Promise<void> {
  const simulator = new Simulator(folder);
  const told = new Set<string>();
  for (const failure of failures) {
    if (told.size >= STORIES_MAX || told.has(failure.violation.message)) continue;
    told.add(failure.violation.message);
    console.log(`${(await storyOfFailure(simulator, failure)).story}\n`);
  }
  simulator.close();
  const seeds = failures.slice(0, 50).map(({ seed }) => seed);
  if (seeds.length > 0) console.log(`seeds that break a law: ${seeds.join(' ')}\n`);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/u.test(text)) throw new RangeError(`\`${text}\` is not a whole number`);
  return Number(text);
}
