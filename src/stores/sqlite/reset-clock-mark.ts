/**
 * The way on where the stored clock mark itself is wrong, because the clock once ran far ahead: a
 * person resets it, knowing that expiries are then judged by the clock as it is now.
 */
import type { Clock } from '../../engine/ports.ts';
import { openDatabase } from './open-database.ts';

/** Sets the mark of a stopped store to the clock's present. Errors: those of opening the store. */
export function resetClockMark(options: {
  readonly directory: string;
  readonly clock: Clock;
}): void {
  const database = openDatabase(options.directory);
  try {
    database.db.one('UPDATE clock SET mark = ? WHERE id = 1', options.clock.now());
  } finally {
    database.close();
  }
}
