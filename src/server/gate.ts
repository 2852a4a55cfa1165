/**
 * `exequatur/gate`: the whole layer inside a process of yours. Store, engine, executors and policy are
 * those of a daemon, and requests take the same way through the same doors, without a socket.
 *
 * Its isolation is none: code that runs beside it can read the credentials, the keys and the store, so
 * that it is advice against an agent in the same process. It is for tests, for tools in which a person
 * is the agent, and for services in which the agent's code runs elsewhere.
 */
import { dirname, join, resolve } from 'node:path';
import type { EngineLimits } from '../engine/limits.ts';
import { createMasker } from '../executors/mask.ts';
import { parseTenantName } from '../kernel/id.ts';
import { actionView, explanationView, type ActionView } from '../protocol/actions.ts';
import { consentView, type AnswerRequest, type ConsentView } from '../protocol/answers.ts';
import { enrolledView } from '../protocol/directory.ts';
import type { DocumentProblem } from '../protocol/errors.ts';
import { haltedView, haltView, type HaltedView, type HaltRequest } from '../protocol/halts.ts';
import type { ReloadView } from '../protocol/status.ts';
import { createClient, type Client } from '../sdk/client.ts';
import { ExequaturError } from '../sdk/errors.ts';
import { exchange, type Asked, type Fetch, type Place } from '../sdk/exchange.ts';
import { LISTEN_DEFAULT } from './configuration.ts';
import { DRAIN_MS, startDaemon, type Daemon } from './daemon.ts';
import type { Log } from './log.ts';
import { operatorKeyOf } from './private-files.ts';
import { packageVersion } from './serve.ts';

export {
  ApiError,
  ExequaturError,
  NotDoneError,
  UnansweredError,
  UsageError,
} from '../sdk/errors.ts';
export { guard } from '../sdk/guard.ts';

/** What a gate is made of. Paths are seen from the working directory. */
export interface GateOptions {
  readonly inventory: string;
  readonly policy: string | readonly string[];
  /** The directory of its store and its operator's key; made if absent, and owned by one process. */
  readonly data: string;
  /** Where `env:` references are read; the process's own environment if absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly limits?: Partial<EngineLimits>;
  /** Told what went wrong without stopping anything; no secrets. */
  readonly trouble?: (code: string, message: string) => void;
}

/** Whom a gate takes a caller to be. */
export interface GateAgent {
  readonly roles?: readonly string[];
  readonly owners?: readonly string[];
  /** The person on whose behalf it acts. */
  readonly delegator?: string;
}

/** A person at a gate. The process is trusted to hand this to nobody else. */
export interface GatePerson {
  /** The faithful picture of a held action, with what it takes to answer it. */
  consent(id: string): Promise<ConsentView>;
  /** Says yes to exactly what was seen. */
  approve(seen: ConsentView): Promise<ActionView>;
  /** Says no, with a reason that reaches the agent. */
  reject(seen: ConsentView, reason: string): Promise<ActionView>;
  /** Why an action is as it is, as people read it. */
  explain(id: string): Promise<string>;
  /** Stops everything in scope; resolves once nothing in it can be sent any more. */
  halt(halt: HaltRequest): Promise<HaltedView>;
  /** Ends a halt. */
  resume(id: string): Promise<void>;
}

/** A layer in this process. */
export interface Gate {
  /** Nothing separates it from the code around it. */
  readonly isolation: 'none';
  /** What that means, in one line for people. */
  readonly warning: string;
  /** The agent of this name, enrolled if it is new; its answers are those of a client of a daemon. */
  agent(name: string, account?: GateAgent): Promise<Client>;
  /** The person of this name, enrolled if new. */
  person(name: string, account?: Pick<GateAgent, 'roles'>): Promise<GatePerson>;
  /**
   * Reads policy and inventory again, and says whether anything changed. Throws {@link GateError}
   * `configuration_invalid` where they are not valid, and then what was active stays active.
   */
  reload(): Promise<ReloadView>;
  /** Takes nothing new, lets what is under way settle for `graceMs`, and closes. Safe to call twice. */
  close(graceMs?: number): Promise<void>;
}

/** Why a gate was not made, or not made anew. Codes: `configuration_invalid`, and those of the store such as `store_locked`. */
export class GateError extends ExequaturError {
  override readonly name: string = 'GateError';
  /** What is wrong in which file, line and column. */
  readonly problems: readonly DocumentProblem[];

  constructor(code: string, message: string, problems: readonly DocumentProblem[] = []) {
    super(code, message);
    this.problems = problems;
  }
}

/** What a gate says of itself. */
export const GATE_WARNING =
  'isolation: none. This layer runs inside the process that uses it, so its answers are advice to any code here.';

/** Makes a layer in this process. Throws {@link GateError} and leaves nothing open where it cannot. */
export async function createGate(options: GateOptions): Promise<Gate> {
  const data = resolve(options.data);
  const daemon = await start(options, data);
  const key = operatorKeyOf(data);
  if (key.kind === 'refused') {
    await daemon.stop(0);
    throw new GateError(key.code, key.message);
  }
  const fetch = fetchOf(daemon);
  const operator: Place = { url: ADDRESS, key: key.key, fetch };
  const enrol = async (path: string, body: unknown): Promise<string> =>
    enrolledView.parse((await exchange(operator, { method: 'POST', path, body })).document).key;
  return {
    isolation: 'none',
    warning: GATE_WARNING,
    agent: async (name, account = {}) =>
      createClient({ url: ADDRESS, key: await enrol('/v1/agents', { name, ...account }), fetch }),
    person: async (name, account = {}) =>
      personAt({ url: ADDRESS, key: await enrol('/v1/people', { name, ...account }), fetch }),
    reload: () => reload(daemon),
    close: (graceMs = DRAIN_MS) => daemon.stop(graceMs),
  };
}

/** Nothing listens there; it names this layer to its own doors. */
const ADDRESS = 'http://localhost';

async function start(options: GateOptions, data: string): Promise<Daemon> {
  const masker = createMasker();
  const inventory = resolve(options.inventory);
  const tenant = parseTenantName('default');
  if (tenant === undefined) throw new Error('the name is one');
  const policies = [options.policy].flat().map((path) => resolve(path));
  const tell = (code: string, message: string): void =>
    options.trouble?.(code, masker.text(message));
  const log: Log = { info: () => undefined, warn: tell, error: tell };
  const configuration = {
    // There is no such file: paths in a policy's facts are seen from where the inventory lies.
    file: join(dirname(inventory), 'exequatur.yaml'),
    tenant,
    listen: LISTEN_DEFAULT,
    data,
    inventory,
    policies,
    limits: options.limits ?? {},
    isolation: 'none',
  } as const;
  const started = await startDaemon({
    configuration,
    asRead: configuration,
    readAgain: () => Promise.resolve({ configuration, problems: [] }),
    mode: 'development',
    version: packageVersion(),
    log,
    masker,
    environment: options.environment ?? process.env,
    directory: process.cwd(),
    door: 'in_process',
  });
  switch (started.kind) {
    case 'started':
      return started.daemon;
    case 'refused':
      throw new GateError(started.code, started.message);
    case 'problems':
      throw new GateError('configuration_invalid', told(started.problems), started.problems);
    default:
      return started satisfies never;
  }
}

async function reload(daemon: Daemon): Promise<ReloadView> {
  const reloaded = await daemon.reload();
  if (reloaded.kind === 'active') return { changed: reloaded.changed, epoch: reloaded.epoch };
  throw new GateError('configuration_invalid', told(reloaded.problems), reloaded.problems);
}

function told(problems: readonly DocumentProblem[]): string {
  const first = problems.find(({ severity }) => severity === 'error');
  if (first === undefined) return 'policy or inventory is not valid';
  const { file, line, column, message } = first;
  return `${file}:${String(line)}:${String(column)}: ${message}`;
}

function fetchOf(daemon: Daemon): Fetch {
  return (url, init) => {
    const request = new Request(url, init);
    request.headers.set('host', 'localhost');
    return daemon.fetch(request);
  };
}

function personAt(place: Place): GatePerson {
  const ask = async (asked: Asked): Promise<unknown> => (await exchange(place, asked)).document;
  const answer = async (id: string, body: AnswerRequest): Promise<ActionView> =>
    actionView.parse(
      await ask({ method: 'POST', path: `/v1/actions/${encodeURIComponent(id)}/approvals`, body }),
    );
  return {
    consent: async (id) =>
      consentView.parse(
        await ask({ method: 'GET', path: `/v1/actions/${encodeURIComponent(id)}/consent` }),
      ),
    approve: ({ id, consent, challenge }) =>
      answer(id, { consent, challenge, decision: 'approve' }),
    reject: ({ id, consent, challenge }, reason) =>
      answer(id, { consent, challenge, decision: 'reject', reason }),
    explain: async (id) =>
      explanationView.parse(
        await ask({ method: 'GET', path: `/v1/actions/${encodeURIComponent(id)}/explain` }),
      ).text,
    halt: async (halt) =>
      haltedView.parse(await ask({ method: 'POST', path: '/v1/halts', body: halt })),
    resume: async (id) => {
      haltView.parse(await ask({ method: 'DELETE', path: `/v1/halts/${encodeURIComponent(id)}` }));
    },
  };
}
