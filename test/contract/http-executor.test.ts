import { startHttpTarget } from '../fixtures/http-target.ts';
import { executorContract } from './executor.ts';

executorContract('http/1', {
  start: startHttpTarget,
  expected: {
    succeed: ['succeeded', 'status_201'],
    fail_before: ['failed', 'status_422'],
    fail_after: ['unknown', 'status_500'],
    hang_before: ['unknown', 'timeout'],
    hang_after: ['unknown', 'timeout'],
    lose_answer: ['unknown', 'connection_lost'],
    echo: ['succeeded', 'status_200'],
    // The head of the answer said how it ended; the rest of it is not kept.
    flood: ['succeeded', 'status_200'],
  },
});
