/**
 * What every executor must do, whatever it acts on: run with a real target of each kind. Every effect
 * is tried failing before it took hold and failing after it took hold, and judged at the target.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { mintExecution, type Execution } from '../../src/engine/execution.ts';
import type {
  Attempt,
  EffectRequest,
  Executor,
  Outcome,
  Prepared,
  SendOptions,
} from '../../src/engine/ports.ts';
import type { OutcomeState } from '../../src/engine/transition.ts';
import { resolutionDigest, type Preview, type Resolution } from '../../src/kernel/action.ts';
import { digestOf, type Digest } from '../../src/kernel/digest.ts';
import { parseActionId, parseExecutionId, uuidV7, type ExecutionId } from '../../src/kernel/id.ts';
import { writeCanonical } from '../../src/kernel/json/write.ts';
import { parseJson } from '../../src/kernel/json/parse.ts';
import { admittingDecision } from '../fixtures/admit.ts';
import { systemClock } from '../fixtures/clock.ts';

/** How the target behaves when an effect reaches it. */
export type Behaviour =
  /** The effect takes hold and the target says so. */
  | 'succeed'
  /** The target refuses; nothing takes hold. */
  | 'fail_before'
  /** The effect takes hold and the target reports a failure. */
  | 'fail_after'
  /** Nothing takes hold and the target never answers. */
  | 'hang_before'
  /** The effect takes hold and the target never answers. */
  | 'hang_after'
  /** The effect takes hold and the answer is lost. */
  | 'lose_answer'
  /** The effect takes hold, and the answer holds the credential in every encoding. */
  | 'echo'
  /** The effect takes hold, and the answer never ends. */
  | 'flood';

/** A running target with an executor for it. */
export interface ExecutorHarness {
  readonly executor: Executor;
  /** A request whose effect meets this behaviour; `text` is an argument that changes the effect. */
  readonly request: (behaviour: Behaviour, text?: string) => EffectRequest;
  /** Ids of the executions whose effect took hold at the target, in order. */
  readonly effects: () => readonly string[] | Promise<readonly string[]>;
  /** The credential that acts, whose value no outcome may hold. */
  readonly secret: string;
  /** Takes the credential away, or gives it back. */
  readonly setSecret: (present: boolean) => void;
  readonly stop: () => Promise<void>;
}

/** What an executor's outcomes are for each behaviour that such a target can have: state and code. */
export type ExpectedOutcomes = Readonly<
  Partial<Record<Behaviour, readonly [OutcomeState, string]>> &
    Record<
      'succeed' | 'fail_before' | 'hang_after' | 'lose_answer',
      readonly [OutcomeState, string]
    >
>;

/** How to start a target of this kind, and what to expect of it. */
export interface ExecutorFixture {
  readonly start: () => Promise<ExecutorHarness>;
  readonly expected: ExpectedOutcomes;
  /** `inconclusive`: that an effect is not found at such a target does not show that it never will be. */
  readonly absence?: 'inconclusive';
  /** `none`: such a target takes no credential. */
  readonly credential?: 'none';
}

const NEVER = new AbortController().signal;

/** A fresh id for an execution. */
export function freshExecution(): ExecutionId {
  const id = parseExecutionId(uuidV7(Date.now(), randomBytes(10)));
  assert.ok(id !== undefined);
  return id;
}

/** The value of an attempt that must not have been refused. */
export function valueOf<Value>(attempt: Attempt<Value>): Value {
  assert.ok(attempt.ok, attempt.ok ? '' : `${attempt.code}: ${attempt.message}`);
  return attempt.value;
}

/** The code of an attempt that must have been refused. */
export function codeOf(attempt: Attempt<unknown>): string {
  return attempt.ok ? 'not refused' : attempt.code;
}

/** An execution as a crossing makes it. */
export function mint(request: EffectRequest, effect: Digest): Execution {
  const { tenant, action } = request;
  const id = freshExecution();
  const crossedAt = systemClock.now();
  return mintExecution(admittingDecision(), { tenant, action, id, crossedAt, effect });
}

/** Sending that nothing stands in the way of. */
export function freely(signal: AbortSignal = NEVER): SendOptions {
  return { signal, sending: () => true };
}

/** An action taken up to the point where it could be sent. */
export interface Ready {
  readonly request: EffectRequest;
  readonly resolution: Resolution;
  readonly preview: Preview | 'none';
  readonly prepared: Prepared;
}

/** Resolves, previews and prepares; fails the test where any of them refuses. */
export async function makeReady(executor: Executor, request: EffectRequest): Promise<Ready> {
  const resolution = valueOf(await executor.resolve(request, NEVER));
  const preview = valueOf(await executor.preview(request, NEVER));
  const prepared = valueOf(await executor.prepare(request, resolution, preview, NEVER));
  return { request, resolution, preview, prepared };
}

/** Takes a request all the way. */
export async function perform(
  executor: Executor,
  request: EffectRequest,
  options: SendOptions = freely(),
): Promise<{ readonly outcome: Outcome; readonly execution: Execution }> {
  const { prepared, resolution } = await makeReady(executor, request);
  const execution = mint(request, resolution.effect);
  return { outcome: await prepared.send(execution, options), execution };
}

/** Every way in which a careless search would find a secret in an outcome. */
export function secretTraces(outcome: unknown, secret: string): readonly string[] {
  const text = JSON.stringify(outcome);
  const bytes = Buffer.from(secret);
  const cores = [0, 1, 2].map((lead) => {
    const encoded = Buffer.concat([Buffer.alloc(lead), bytes]).toString('base64');
    return encoded.slice(lead === 0 ? 0 : lead + 1, Math.floor(((lead + bytes.length) * 8) / 6));
  });
  const hex = bytes.toString('hex');
  const forms = [secret, encodeURIComponent(secret), hex, hex.toUpperCase(), ...cores];
  const url = cores.map((core) => core.replaceAll('+', '-').replaceAll('/', '_'));
  return [...forms, ...url].filter((form) => text.includes(form));
}

/** The suite. `fixture.start` is called for each test. */
export function executorContract(name: string, fixture: ExecutorFixture): void {
  describe(`${name}: the contract of executors`, () => {
    let harness: ExecutorHarness;
    beforeEach(async () => {
      harness = await fixture.start();
    });
    afterEach(async () => {
      await harness.stop();
    });
    looks(() => harness);
    if (fixture.credential === undefined) credentials(() => harness);
    gate(() => harness);
    outcomes(() => harness, fixture.expected);
    evidence(() => harness, fixture.absence);
  });
}

type Current = () => ExecutorHarness;

function looks(current: Current): void {
  test('a resolution is the same each time, and another for other arguments', async () => {
    const { executor, request } = current();
    const [first, second, other] = await Promise.all(
      [request('succeed'), request('succeed'), request('succeed', 'other')].map(async (each) =>
        valueOf(await executor.resolve(each, NEVER)),
      ),
    );
    assert.ok(first !== undefined && second !== undefined && other !== undefined);
    assert.equal(resolutionDigest(first), resolutionDigest(second));
    assert.notEqual(first.effect, other.effect);
    assert.equal(first.executor, executor.contract);
  });

  test('to resolve, preview and prepare leaves no trace at the target', async () => {
    const { executor, request, effects } = current();
    const { prepared } = await makeReady(executor, request('succeed'));
    await prepared.discard();
    assert.deepEqual(await effects(), []);
  });

  test('what it cannot perform is refused by name', async () => {
    const { executor, request } = current();
    const given = request('succeed');
    const foreign = {
      ...given,
      operation: { ...given.operation, binding: foreignBinding(given) },
    };
    assert.equal(codeOf(await executor.resolve(foreign, NEVER)), 'binding_unsupported');
  });

  test('law 2: another effect than the one that was resolved is not prepared', async () => {
    const { executor, request } = current();
    const resolution = valueOf(await executor.resolve(request('succeed'), NEVER));
    const attempt = await executor.prepare(request('succeed', 'other'), resolution, 'none', NEVER);
    assert.equal(codeOf(attempt), 'effect_changed');
  });
}

function credentials(current: Current): void {
  test('without its credential nothing is prepared', async () => {
    const { executor, request, setSecret, effects } = current();
    const given = request('succeed');
    const resolution = valueOf(await executor.resolve(given, NEVER));
    const preview = valueOf(await executor.preview(given, NEVER));
    setSecret(false);
    const attempt = await executor.prepare(given, resolution, preview, NEVER);
    assert.match(codeOf(attempt), /^credential_/u);
    assert.deepEqual(await effects(), []);
  });
}

function foreignBinding({ operation }: EffectRequest): EffectRequest['operation']['binding'] {
  if (operation.binding.kind === 'http') {
    return { kind: 'process', run: [], files: [], exits: {}, outputBytesMax: 1 };
  }
  return {
    kind: 'http',
    method: 'GET',
    path: [],
    query: {},
    headers: {},
    body: { kind: 'none' },
    statuses: {},
    responseBytesMax: 1,
  };
}

function gate(current: Current): void {
  test('law 1: an execution that no crossing made sends nothing', async () => {
    const { executor, request, effects } = current();
    const { prepared, resolution, ...ready } = await makeReady(executor, request('succeed'));
    const forged = { ...mint(ready.request, resolution.effect) };
    const outcome = await prepared.send(forged, freely());
    assertNotSent(outcome, 'execution_not_made');
    assert.deepEqual(await effects(), []);
    await prepared.discard();
  });

  test('an execution for another effect, action or tenant sends nothing', async () => {
    const { executor, request, effects } = current();
    const { prepared, resolution, ...ready } = await makeReady(executor, request('succeed'));
    const otherEffect = mint(ready.request, digestOf('exequatur/effect/v1', 'another'));
    assertNotSent(await prepared.send(otherEffect, freely()), 'effect_mismatch');
    const action = parseActionId(uuidV7(1, randomBytes(10)));
    assert.ok(action !== undefined);
    const otherAction = mint({ ...ready.request, action }, resolution.effect);
    assertNotSent(await prepared.send(otherAction, freely()), 'execution_of_another_action');
    assert.deepEqual(await effects(), []);
    await prepared.discard();
  });

  test('a last question that is answered no sends nothing', async () => {
    const { executor, request, effects } = current();
    let asked = 0;
    const sending = (): boolean => {
      asked += 1;
      return false;
    };
    const { outcome } = await perform(executor, request('succeed'), { signal: NEVER, sending });
    assertNotSent(outcome, 'not_sent');
    assert.equal(asked, 1);
    assert.deepEqual(await effects(), []);
  });

  test('what is cancelled before it is sent is not sent', async () => {
    const { executor, request, effects } = current();
    const { outcome } = await perform(executor, request('succeed'), freely(AbortSignal.abort()));
    assertNotSent(outcome, 'cancelled');
    assert.deepEqual(await effects(), []);
  });

  test('what was discarded is not sent, and may be discarded twice', async () => {
    const { executor, request, effects } = current();
    const { prepared, resolution, ...ready } = await makeReady(executor, request('succeed'));
    await prepared.discard();
    await prepared.discard();
    const outcome = await prepared.send(mint(ready.request, resolution.effect), freely());
    assertNotSent(outcome, 'discarded');
    assert.deepEqual(await effects(), []);
  });

  test('law 4: a second send throws and sends nothing, at once and afterwards', async () => {
    const { executor, request, effects } = current();
    const { prepared, resolution, ...ready } = await makeReady(executor, request('succeed'));
    const execution = mint(ready.request, resolution.effect);
    const results = await Promise.allSettled([
      prepared.send(execution, freely()),
      prepared.send(execution, freely()),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    await prepared.discard();
    await assert.rejects(prepared.send(mint(ready.request, resolution.effect), freely()), {
      code: 'already_sent',
    });
    assert.deepEqual(await effects(), [execution.id]);
  });
}

function assertNotSent(outcome: Outcome, code: string): void {
  const { state, sent } = outcome;
  assert.deepEqual(
    { state, sent, code: outcome.code },
    { state: 'not_executed', sent: false, code },
  );
}

function takesHold(behaviour: Behaviour): boolean {
  return behaviour !== 'fail_before' && behaviour !== 'hang_before';
}

function outcomes(current: Current, expected: ExpectedOutcomes): void {
  for (const [behaviour, [state, code]] of entries(expected)) {
    test(`a target that does \`${behaviour}\` ends ${state} (${code}), sent once`, async () => {
      const { executor, request, effects, secret } = current();
      const { outcome, execution } = await perform(executor, request(behaviour));
      assert.deepEqual([outcome.state, outcome.code], [state, code], JSON.stringify(outcome));
      assert.equal(outcome.sent, true);
      assert.deepEqual(await effects(), takesHold(behaviour) ? [execution.id] : []);
      assert.deepEqual(secretTraces(outcome, secret), []);
      // What is kept must be readable again by the parser that the layer itself uses.
      assert.ok(parseJson(Buffer.from(writeCanonical({ outcome: outcome.result }))).ok);
    });
  }

  test('what is cancelled after it took hold ends unknown, at once', async () => {
    const { executor, request, effects } = current();
    const cancel = new AbortController();
    const { prepared, resolution, ...ready } = await makeReady(executor, request('hang_after'));
    const execution = mint(ready.request, resolution.effect);
    const sent = prepared.send(execution, freely(cancel.signal));
    while ((await effects()).length === 0) await systemClock.sleep(10);
    const start = systemClock.monotonicMs();
    cancel.abort();
    const outcome = await sent;
    assert.deepEqual([outcome.state, outcome.code], ['unknown', 'cancelled']);
    assert.ok(systemClock.monotonicMs() - start < 1000);
    assert.deepEqual(await effects(), [execution.id]);
  });
}

function entries(
  expected: ExpectedOutcomes,
): readonly (readonly [Behaviour, readonly [OutcomeState, string]])[] {
  const behaviours: readonly Behaviour[] = [
    'succeed',
    'fail_before',
    'fail_after',
    'hang_before',
    'hang_after',
    'lose_answer',
    'echo',
    'flood',
  ];
  return behaviours.flatMap((behaviour) => {
    const outcome = expected[behaviour];
    return outcome === undefined ? [] : [[behaviour, outcome] as const];
  });
}

function evidence(current: Current, absence: ExecutorFixture['absence']): void {
  test('evidence tells an effect whose answer was lost from one that never took hold', async () => {
    const { executor, request } = current();
    const { execution } = await perform(executor, request('lose_answer'));
    const found = valueOf(await executor.reconcile(request('lose_answer'), execution.id, NEVER));
    assert.equal(found?.state, 'succeeded');
    const absent = valueOf(await executor.reconcile(request('succeed'), freshExecution(), NEVER));
    assert.equal(absent?.state, absence === undefined ? 'not_executed' : undefined);
  });

  test('to look for evidence never sends the effect', async () => {
    const { executor, request, effects } = current();
    await executor.reconcile(request('succeed'), freshExecution(), NEVER);
    assert.deepEqual(await effects(), []);
  });
}
