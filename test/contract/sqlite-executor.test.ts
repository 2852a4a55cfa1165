import { startSqliteTarget } from '../fixtures/sqlite-target.ts';
import { executorContract } from './executor.ts';
import { sqlContract } from './sql-executor.ts';

sqlContract('sql/1 on SQLite', async () => startSqliteTarget());

executorContract('sql/1 on SQLite', {
  start: async () => startSqliteTarget(),
  credential: 'none',
  expected: {
    succeed: ['succeeded', 'committed'],
    // Until a commit is asked for, nothing can take hold.
    fail_before: ['not_executed', 'database_refused'],
    hang_before: ['not_executed', 'timeout'],
    fail_after: ['unknown', 'commit_unclear'],
    hang_after: ['unknown', 'timeout'],
    lose_answer: ['unknown', 'connection_lost'],
  },
});
