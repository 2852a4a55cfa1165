/** The same over HTTP: a layer in a process of its own, and this process as its callers. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { argsOf, IN_FLIGHT } from './layer.ts';
import { perSecond } from './measure.ts';

const PROGRAM = fileURLToPath(new URL('./http-layer.ts', import.meta.url));
const WARM_UP = 1000;

/** A layer behind HTTP. */
export interface HttpLayer {
  readonly port: number;
  /** The agent's `Authorization`. */
  readonly authorization: string;
  /** Proposes and waits for the answer; rejects where the action did not succeed. */
  readonly act: (index: number) => Promise<void>;
  rssMib(): Promise<number>;
  close(): Promise<void>;
}

/** Starts one over a directory; with a port, its actions are requests to a target there. */
export async function startHttpLayer(directory: string, targetPort?: number): Promise<HttpLayer> {
  const place = targetPort === undefined ? [] : [String(targetPort)];
  const child = spawn(process.execPath, [PROGRAM, directory, ...place], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { port, key } = startedAt(await lines.next());
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  const authorization = `Bearer ${key}`;
  const target = targetPort === undefined ? 'shop-0' : 'near';
  return {
    port,
    authorization,
    act: async (index) => {
      const body = JSON.stringify({ target, operation: 'refund', args: argsOf(index) });
      const answer = await post({ agent, port, path: '/v1/actions', authorization }, body);
      if (!answer.includes('"state":"succeeded"')) throw new Error(answer.slice(0, 300));
    },
    rssMib: async () => {
      child.stdin.write('memory\n');
      const { value } = await lines.next();
      return Number(value);
    },
    close: async () => {
      agent.destroy();
      child.stdin.end();
      await ended(child);
    },
  };
}

/** Actions a second over HTTP in a store that may hold any number already, and memory under load. */
export async function httpPerSecond(
  directory: string,
  count: number,
): Promise<{ readonly rate: number; readonly rssMib: number; readonly restMib: number }> {
  const layer = await startHttpLayer(directory);
  const restMib = await layer.rssMib();
  await perSecond({ count: WARM_UP, width: IN_FLIGHT }, layer.act);
  const rate = await perSecond({ count, width: IN_FLIGHT }, layer.act);
  const rssMib = await layer.rssMib();
  await layer.close();
  return { rate, rssMib, restMib };
}

/** A request's body and what it is answered. */
export async function post(
  to: {
    readonly agent: Agent;
    readonly port: number;
    readonly path: string;
    readonly authorization: string;
  },
  body: string,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const sent = request(
    {
      agent: to.agent,
      host: '127.0.0.1',
      port: to.port,
      path: to.path,
      method: 'POST',
      headers: {
        authorization: to.authorization,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'idempotency-key': randomUUID(),
      },
    },
    (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      response.on('error', reject);
    },
  );
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

function startedAt(line: IteratorResult<string>): { readonly port: number; readonly key: string } {
  const { port, key }: Record<string, unknown> = Object(JSON.parse(String(line.value)));
  return { port: Number(port), key: String(key) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}
