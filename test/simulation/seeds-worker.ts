/** A thread that runs its share of the seeds. */
import { parentPort, workerData } from 'node:worker_threads';
import { runSeeds, type Ran } from './run-seeds.ts';
import { Simulator } from './world.ts';

/** What the thread is given. */
export interface Share {
  readonly from: number;
  readonly count: number;
  /** Where its files may lie. */
  readonly folder: string;
}

const { from, count, folder } = workerData as Share;
const simulator = new Simulator(folder);
try {
  const ran = await runSeeds(simulator, { from, count }, () => tell('ran'));
  tell(ran);
} finally {
  simulator.close();
}

function tell(message: 'ran' | Ran): void {
  // The port of a thread, not a window: there is no origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(message);
}
