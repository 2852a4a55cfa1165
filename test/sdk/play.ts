/**
 * One agent's program, the same in every runtime: what each of its calls came to, as data. It is given
 * the SDK, so that each runtime loads that in its own way.
 */
import type * as Sdk from 'exequatur/sdk';

/** What the program is given. */
export interface Parts {
  readonly sdk: typeof Sdk;
  readonly url: string;
  readonly key: string;
  /** An address at which nobody answers. */
  readonly nobody: string;
  /** The runtime's name, which stands in every effect. */
  readonly name: string;
}

/** What each call came to. */
export type Played = Readonly<Record<string, readonly (string | undefined)[]>>;

/** Acts, is held until somebody approves, is denied, and meets each sort of error. */
export async function play({ sdk, url, key, nobody, name }: Parts): Promise<Played> {
  const client = sdk.createClient({ url, key });
  const ending = new AbortController();
  const events = client.events({ after: 0, signal: ending.signal });

  const done = await client.act(proposal('ping', { mode: 'ok', text: name }));
  const held = await client.act(proposal('deploy', { text: name }), { wait: 0 });
  const settled = await client.action(held.id, { wait: 30 });
  const refused = await client.act(proposal('erase', { rows: 1001 }));
  const tool = sdk.guard(client, {
    target: 'box',
    operation: 'ping',
    args: (text: string) => ({ mode: 'ok', text }),
    idempotencyKey: (text) => `${name}-${text}`,
  });
  const guarded = await Promise.all([tool(`${name}-tool`), tool(`${name}-tool`)]);

  let settlements = 0;
  for await (const { kind } of events) {
    settlements += kind === 'settled' ? 1 : 0;
    if (settlements === 3) ending.abort();
  }

  return {
    done: told(done),
    held: [...told(held), ...waitsFor(held)],
    settled: told(settled),
    refused: [...told(refused), ...findingsOf(refused)],
    guarded: guarded.map((result) => /done [\w-]+/u.exec(JSON.stringify(result))?.[0]),
    events: [String(settlements)],
    keyOfAnother: await failure(
      client.act(proposal('erase', { rows: 1 }), { idempotencyKey: `${name}-${name}-tool` }),
    ),
    wrongKey: await failure(
      sdk.createClient({ url, key: `exq_agent_${'A'.repeat(43)}` }).action(held.id),
    ),
    nobodyThere: await failure(sdk.createClient({ url: nobody, key }).action(held.id)),
    aborted: await failure(
      client.act(proposal('deploy', { text: 'never' }), { signal: AbortSignal.abort() }),
    ),
    noAddress: await failure(
      Promise.resolve().then(() => sdk.createClient({ url: 'file:///etc', key })),
    ),
  };

  async function failure(promise: Promise<unknown>): Promise<readonly string[]> {
    try {
      await promise;
      return ['no error'];
    } catch (error) {
      if (error instanceof sdk.ApiError) return ['ApiError', error.code, String(error.status)];
      if (error instanceof sdk.ExequaturError) return [error.name, error.code];
      return [error instanceof Error || error instanceof DOMException ? error.name : 'no error'];
    }
  }
}

function proposal(operation: string, args: Sdk.JsonObject): Sdk.ProposeRequest {
  return { target: 'box', operation, args };
}

function told({ kind, state, executed }: Sdk.Answer): readonly string[] {
  return [kind, state, executed];
}

function waitsFor(answer: Sdk.Answer): readonly string[] {
  return answer.kind === 'waiting' ? answer.waitingFor.map(({ code }) => code) : [];
}

function findingsOf(answer: Sdk.Answer): readonly string[] {
  return answer.kind === 'refused' ? answer.findings.map(({ code }) => code) : [];
}
