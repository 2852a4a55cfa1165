/** Bytes on a socket, for what no client of HTTP would send. */
import { connect } from 'node:net';

import type { Answer } from '../fixtures/layer.ts';

/** Sends these bytes and reads until the other side closes, or for `waitMs`. */
export function sendBytes(url: string, bytes: string, waitMs = 3000): Promise<Answer> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port) });
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => socket.destroy(), waitMs);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answerOf(Buffer.concat(chunks).toString('utf8')));
    });
    socket.on('connect', () => socket.write(bytes));
  });
}

function answerOf(text: string): Answer {
  const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/su);
  const [status = '', ...lines] = head.split('\r\n');
  const headers = new Headers();
  for (const line of lines) {
    const [name = '', value = ''] = line.split(/: ?(.*)/su);
    headers.append(name, value);
  }
  const json: unknown = body.startsWith('{') ? JSON.parse(body) : {};
  return {
    status: Number(status.split(' ')[1] ?? 0),
    headers,
    text: body,
    body: typeof json === 'object' && json !== null ? { ...json } : {},
  };
}
