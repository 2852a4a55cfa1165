import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FACT_TIMEOUT_MS_DEFAULT, POLICY_LIMITS, VALID_FOR_MS_DEFAULT } from './limits.ts';

test('a policy may be this large, and what it does not say is this', () => {
  assert.deepEqual(
    { ...POLICY_LIMITS, FACT_TIMEOUT_MS_DEFAULT, VALID_FOR_MS_DEFAULT },
    {
      rulesMax: 20_000,
      requirementsMax: 50,
      namesMax: 1000,
      patternsMax: 500,
      occurrenceMsMax: 31 * 24 * 3_600_000,
      approversMax: 20,
      countMax: 1_000_000_000,
      durationMsMax: 366 * 24 * 3_600_000,
      factTimeoutMsMax: 60_000,
      FACT_TIMEOUT_MS_DEFAULT: 5000,
      VALID_FOR_MS_DEFAULT: 3_600_000,
    },
  );
});
