import { startFileTarget } from '../fixtures/file-target.ts';
import { executorContract } from './executor.ts';

executorContract('file/1', {
  start: () => Promise.resolve(startFileTarget()),
  // A file's own evidence is its content; that something is not there proves nothing.
  absence: 'inconclusive',
  credential: 'none',
  expected: {
    succeed: ['succeeded', 'created'],
    fail_before: ['not_executed', 'call_refused'],
    // The system said no, and the name says yes: it is looked at, not believed.
    fail_after: ['succeeded', 'created'],
    hang_before: ['not_executed', 'timeout'],
    hang_after: ['unknown', 'timeout'],
    lose_answer: ['unknown', 'call_failed'],
  },
});
