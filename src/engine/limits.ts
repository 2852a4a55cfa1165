/** The engine's named limits. Each is tested at it and one past it. */

/** Every bound the engine keeps; durations in milliseconds. */
export interface EngineLimits {
  /** From the crossing instant to the first byte; later than that, the execution is barred. */
  readonly sendDelayMsMax: number;
  /** For resolving, previewing and gathering together. */
  readonly gatherMsMax: number;
  /** How long nobody else may call this engine's execution lost. */
  readonly leaseMs: number;
  /** Actions under way at once, and waiting to be. */
  readonly actionsMax: number;
  readonly waitingMax: number;
  /** How soon a hold is tried again where something was undetermined. */
  readonly retryMs: number;
  /** How soon an outcome that the store could not take is offered to it again. */
  readonly settleRetryMs: number;
  /** How often an unknown outcome is looked for at the target, at first and at most. */
  readonly reconcileMs: number;
  readonly reconcileMsMax: number;
  /** Deadline of an action that names none, and the furthest one that may be named. */
  readonly deadlineMsDefault: number;
  readonly deadlineMsMax: number;
  /** Denied proposals stored for one agent in a minute; more are refused and counted. */
  readonly denialsPerMinuteMax: number;
  /** How long a challenge to answer is good. */
  readonly challengeMs: number;
}

/** The limits unless configured otherwise. */
export const ENGINE_LIMITS: EngineLimits = {
  sendDelayMsMax: 2000,
  gatherMsMax: 15_000,
  leaseMs: 30_000,
  actionsMax: 512,
  waitingMax: 2048,
  retryMs: 5000,
  settleRetryMs: 250,
  reconcileMs: 1000,
  reconcileMsMax: 60_000,
  deadlineMsDefault: 3_600_000,
  deadlineMsMax: 30 * 86_400_000,
  denialsPerMinuteMax: 600,
  challengeMs: 600_000,
};
