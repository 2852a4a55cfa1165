/** The layer's HTTP API as the scripted agent and the people of the demonstration use it. */
import { randomUUID } from 'node:crypto';

/** A JSON object as it came. */
export type Body = Readonly<Record<string, unknown>>;

/** An answer. */
export interface Reply {
  readonly status: number;
  readonly body: Body;
}

/** What an agent proposes. */
export interface Proposal {
  readonly target: string;
  readonly operation: string;
  readonly args: Body;
  readonly notBefore?: string;
  readonly deadline?: string;
}

/** One layer. */
export class Api {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async get(path: string, key: string): Promise<Reply> {
    return this.#send('GET', path, { key });
  }

  async post(path: string, key: string, body: unknown): Promise<Reply> {
    return this.#send('POST', path, { key, body });
  }

  /** Proposes, and waits up to `waitSeconds` for what comes of it. */
  async propose(
    key: string,
    proposal: Proposal,
    options: { readonly idempotencyKey?: string; readonly waitSeconds?: number } = {},
  ): Promise<Reply> {
    return this.#send('POST', '/v1/actions', {
      key,
      body: proposal,
      headers: {
        'idempotency-key': options.idempotencyKey ?? randomUUID(),
        prefer: `wait=${String(options.waitSeconds ?? 10)}`,
      },
    });
  }

  /** A person looks at exactly what is asked, and says yes to that. */
  async approve(key: string, action: string): Promise<Reply> {
    const asked = await this.get(`/v1/actions/${action}/consent`, key);
    if (asked.status !== 200) return asked;
    const { consent, challenge } = asked.body;
    return this.post(`/v1/actions/${action}/approvals`, key, {
      consent,
      challenge,
      decision: 'approve',
    });
  }

  /** The action, once `done` holds for it or the time is over. */
  async until(
    key: string,
    action: string,
    options: { readonly done: (body: Body) => boolean; readonly waitMs: number },
  ): Promise<Body> {
    const end = Date.now() + options.waitMs;
    for (;;) {
      const { body } = await this.get(`/v1/actions/${action}`, key);
      if (options.done(body) || Date.now() > end) return body;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #send(
    method: string,
    path: string,
    options: {
      readonly key: string;
      readonly body?: unknown;
      readonly headers?: Record<string, string>;
    },
  ): Promise<Reply> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${options.key}`,
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const body: Body = JSON.parse(await response.text());
    return { status: response.status, body };
  }
}
