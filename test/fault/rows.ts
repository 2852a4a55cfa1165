/** All rows of the table, in its order. */
import type { FaultRow } from './row.ts';
import { bytesFlipped } from './rows/bytes-flipped.ts';
import { clockSteps } from './rows/clock-steps.ts';
import { crashingSpenders } from './rows/crashing-spenders.ts';
import { daylightSaving } from './rows/daylight-saving.ts';
import { fullDisk, ioErrors } from './rows/disk-errors.ts';
import { halts } from './rows/halts.ts';
import { killAtRandom } from './rows/kill-at-random.ts';
import { killEachSyscall } from './rows/kill-each-syscall.ts';
import { overload } from './rows/overload.ts';
import { powerCut } from './rows/power-cut.ts';
import { racingCalls } from './rows/racing-calls.ts';
import { stopBeyondLease } from './rows/stop-beyond-lease.ts';

export const ROWS: readonly FaultRow[] = [
  killAtRandom,
  killEachSyscall,
  ioErrors,
  fullDisk,
  stopBeyondLease,
  powerCut,
  bytesFlipped,
  clockSteps,
  daylightSaving,
  racingCalls,
  crashingSpenders,
  halts,
  overload,
];
