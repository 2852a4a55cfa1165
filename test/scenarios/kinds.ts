/**
 * A real system with one operation for each of the seven kinds of consequence: an HTTP server in this
 * process that says who it is, what each operation would do, and keeps what took hold.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The seven kinds. */
export const SEVEN = [
  'code.execute',
  'api.call',
  'infra.create',
  'data.delete',
  'money.transfer',
  'access.grant',
  'device.control',
] as const;

/** One of them. */
export type SevenKind = (typeof SEVEN)[number];

/** The operation's name for a kind. */
export function operationOf(kind: SevenKind): string {
  return kind.replace('.', '-');
}

/** The system: what it says of itself can be changed, what happened to it is kept. */
export interface SystemUnderTest {
  readonly port: number;
  /** `test` is staging, `live` is production. */
  mode: 'test' | 'live';
  /** What a preview of any operation says now. */
  preview: string;
  /** Bodies of effects, by kind. */
  readonly effects: Map<string, string[]>;
  close(): Promise<void>;
}

/** Starts it on loopback. */
export async function startSystem(): Promise<SystemUnderTest> {
  const server: Server = createServer((request, response) => {
    const [, part = '', kind = ''] = (request.url ?? '/').split('/');
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      if (part === 'who') {
        response.end(JSON.stringify({ id: `system-${system.mode}`, mode: system.mode }));
      } else if (part === 'preview') {
        response.end(JSON.stringify({ would: system.preview }));
      } else {
        const before = system.effects.get(kind) ?? [];
        system.effects.set(kind, [...before, Buffer.concat(chunks).toString()]);
        response.statusCode = 201;
        response.end(JSON.stringify({ done: true }));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const system: SystemUnderTest = {
    port: isAddress(address) ? address.port : 0,
    mode: 'test',
    preview: 'as asked',
    effects: new Map(),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return system;
}

function isAddress(address: ReturnType<Server['address']>): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}

/** The inventory: the same system under one name, one operation a kind. */
export function inventoryOf(port: number): string {
  const operations = SEVEN.map(
    (kind) => `
      ${operationOf(kind)}:
        kind: ${kind}
        args: { what: string(40) }
        request: { POST: /act/${operationOf(kind)}, json: { what: $what } }
        preview: { GET: /preview/${operationOf(kind)}, material: [/would] }
        conflict: ${operationOf(kind)}
        visible: [what]`,
  );
  return `version: 1
targets:
  system:
    http: { url: "http://127.0.0.1:${String(port)}", allow: [127.0.0.0/8] }
    probe: { GET: /who, field: /id, environment: { field: /mode, values: { test: staging, live: production } } }
    operations:${operations.join('')}
`;
}
