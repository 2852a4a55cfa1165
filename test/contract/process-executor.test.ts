import { startProcessTarget } from '../fixtures/process-target.ts';
import { executorContract } from './executor.ts';

executorContract('process/1', {
  start: () => Promise.resolve(startProcessTarget()),
  expected: {
    succeed: ['succeeded', 'exit_0'],
    fail_before: ['failed', 'exit_3'],
    fail_after: ['failed', 'exit_4'],
    hang_before: ['unknown', 'timeout'],
    hang_after: ['unknown', 'timeout'],
    lose_answer: ['unknown', 'signal_sigkill'],
    echo: ['succeeded', 'exit_0'],
    flood: ['unknown', 'output_limit'],
  },
});
