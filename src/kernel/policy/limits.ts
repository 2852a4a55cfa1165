/** How large a policy may be. */
export const POLICY_LIMITS = {
  /** Rules of all documents together. */
  rulesMax: 20_000,
  /** Requirements of one rule. */
  requirementsMax: 50,
  /** Names of one set in a `match`. */
  namesMax: 1000,
  /** Patterns of one calendar, open and closed together. */
  patternsMax: 500,
  /** The longest occurrence of a recurring pattern: 31 days. */
  occurrenceMsMax: 2_678_400_000,
  /** Approvers that an approval can ask for. */
  approversMax: 20,
  /** Uses that a limit can count. */
  countMax: 1_000_000_000,
  /** The longest duration anywhere: 366 days. */
  durationMsMax: 31_622_400_000,
  /** The longest wait for a fact. */
  factTimeoutMsMax: 60_000,
} as const;

/** How long a yes is valid where the policy does not say. */
export const VALID_FOR_MS_DEFAULT = 3_600_000;

/** How long a fact is waited for where the policy does not say. */
export const FACT_TIMEOUT_MS_DEFAULT = 5000;
