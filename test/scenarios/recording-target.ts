/** A real HTTP system on loopback that keeps what took hold, and can lose or hold back its replies. */
import { createServer, type Server, type ServerResponse } from 'node:http';

/** One effect as it took hold. */
export interface Effect {
  readonly path: string;
  readonly execution: string;
}

/** The system. */
export interface RecordingTarget {
  readonly port: number;
  readonly effects: readonly Effect[];
  /** Requests that would change something, as they arrived. */
  requests(): number;
  /** Replies wait until {@link RecordingTarget.releaseReplies}. */
  holdReplies(): void;
  releaseReplies(): void;
  /** The connection breaks after the effect. */
  loseReplies(): void;
  /** Resolves once so many requests arrived. */
  arrived(count: number): Promise<void>;
  /** Nobody listens any more, until {@link RecordingTarget.resume} on the same port. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Forgets everything and behaves again. */
  reset(): void;
  close(): Promise<void>;
}

function reply(response: ServerResponse): void {
  response.writeHead(201, { 'content-type': 'application/json' }).end('{"done":true}');
}

/** Starts it. */
export async function startTarget(): Promise<RecordingTarget> {
  let effects: Effect[] = [];
  let requests = 0;
  let behaviour: 'reply' | 'hold' | 'lose' = 'reply';
  const held: ServerResponse[] = [];
  const make = (): Server =>
    createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.method === 'GET') {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(JSON.stringify(effects));
          return;
        }
        requests++;
        const body = Buffer.concat(chunks).toString();
        const parsed: { readonly execution?: string } = body === '' ? {} : JSON.parse(body);
        effects = [...effects, { path: request.url ?? '', execution: parsed.execution ?? '' }];
        if (behaviour === 'lose') request.socket.destroy();
        else if (behaviour === 'hold') held.push(response);
        else reply(response);
      });
    });
  let server = make();
  const listen = async (port: number): Promise<number> => {
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const port = await listen(0);
  return {
    port,
    get effects() {
      return effects;
    },
    requests: () => requests,
    holdReplies: () => {
      behaviour = 'hold';
    },
    releaseReplies: () => {
      behaviour = 'reply';
      for (const response of held.splice(0)) reply(response);
    },
    loseReplies: () => {
      behaviour = 'lose';
    },
    arrived: async (count) => {
      for (let tries = 0; tries < 500; tries++) {
        if (requests >= count) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error(`${String(requests)} of ${String(count)} requests arrived`);
    },
    pause: stop,
    resume: async () => {
      server = make();
      await listen(port);
    },
    reset: () => {
      effects = [];
      requests = 0;
      behaviour = 'reply';
      held.length = 0;
    },
    close: stop,
  };
}
