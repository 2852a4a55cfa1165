/**
 * Blobs: large inputs of actions, in and out. Bytes are never held as a whole: an upload goes at the
 * pace of the disk, a download at the pace of its reader, and both are checked against their digest.
 */
import { createHash } from 'node:crypto';
import type { BlobStore, OpenBlob } from '../../engine/ports.ts';
import { parseDigest, type Digest } from '../../kernel/digest.ts';
import { MEDIA_TYPES } from '../../protocol/headers.ts';
import { ApiProblem, refusedProblem } from './api-problem.ts';
import { agentOf, parameterOf, whoOf, type Call, type Handlers } from './call.ts';
import type { HttpLimits } from './limits.ts';

/** Routes about blobs. */
export const BLOB_HANDLERS: Handlers<'putBlob' | 'blob'> = {
  async putBlob(call) {
    const { served, headers } = call;
    const { tenant, agent } = agentOf(call);
    const digest = digestOf(call);
    const put = await storeOf(call).put({
      tenant,
      agent,
      digest,
      bytesDeclared: lengthOf(headers),
      body: arriving(call.stream, served.limits),
    });
    if (put.kind === 'refused') {
      // What is left of a body that was not read must not be taken for the next request.
      const { code, parts, message } = refusedProblem(put);
      throw new ApiProblem(code, { ...parts, detail: message, headers: { connection: 'close' } });
    }
    return { status: 200, body: { blob: `sha256:${digest}`, bytes: put.bytes } };
  },

  async blob(call) {
    const who = whoOf(call);
    const digest = digestOf(call);
    const { tenant } = who;
    // What another agent put is nothing that an agent learns.
    const isSeen = who.sort !== 'agent' || storeOf(call).has({ tenant, agent: who.agent, digest });
    const blob = isSeen ? await storeOf(call).open(tenant, digest) : undefined;
    if (blob === undefined) throw new ApiProblem('blob_unknown');
    const headers = { ...HEADERS_OF_BLOB, 'content-length': String(blob.bytes) };
    if (call.method === 'HEAD') {
      await blob.close();
      return new Response(null, { headers });
    }
    if (!(await isWhole(blob, digest))) {
      await blob.close();
      throw new ApiProblem('blob_changed');
    }
    return new Response(leaving(blob, digest), { headers });
  },
};

/** Whatever the bytes are, no browser runs or shows them. */
const HEADERS_OF_BLOB = {
  'content-type': MEDIA_TYPES.bytes,
  'content-disposition': 'attachment; filename="blob"',
  // What ends too early must not be filled up with the next answer.
  connection: 'close',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
} as const;

function storeOf({ served }: Pick<Call<unknown, unknown>, 'served'>): BlobStore {
  return served.blobs;
}

function digestOf(call: Pick<Call<unknown, unknown>, 'parameters'>): Digest {
  const digest = parseDigest(parameterOf(call, 'sha256'));
  if (digest !== undefined) return digest;
  throw new ApiProblem('invalid_request', {
    detail:
      'the path names no blob: it ends in the SHA-256 of the bytes, 64 hex digits in lower case',
  });
}

function lengthOf(headers: Headers): number | undefined {
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new ApiProblem('encoding_unsupported');
  }
  const text = headers.get('content-length');
  return text === null ? undefined : Number(text);
}

/**
 * A body as it comes, given up where nothing comes for a while or it takes too long in all. The rest of
 * a body that is not read to its end is left alone, so that the answer still reaches its sender.
 */
async function* arriving(
  stream: ReadableStream<Uint8Array> | undefined,
  { bodyMsMax, uploadMsMax }: HttpLimits,
): AsyncGenerator<Uint8Array> {
  if (stream === undefined) return;
  const reader = stream.getReader();
  const endMs = performance.now() + uploadMsMax;
  try {
    for (;;) {
      const leftMs = Math.min(bodyMsMax, endMs - performance.now());
      const read = await within(reader.read(), Math.max(0, leftMs));
      if (read === 'late') throw new ApiProblem('request_timeout');
      if (read.done) return;
      yield read.value;
    }
  } catch (error) {
    if (error instanceof ApiProblem) throw error;
    // The caller went away; whoever reads this answer was late.
    throw new ApiProblem('request_timeout', { cause: error });
  }
}

async function within<Value>(awaited: Promise<Value>, ms: number): Promise<Value | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  try {
    return await Promise.race([awaited, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the stored bytes are those of the digest, now. */
async function isWhole(blob: OpenBlob, digest: Digest): Promise<boolean> {
  const hash = createHash('sha256');
  for await (const chunk of blob.chunks()) hash.update(chunk);
  return hash.digest('hex') === digest;
}

/**
 * The stored bytes, the last of them only once all are known to be those of the digest: where the file
 * is changed meanwhile, the download ends too early, and so does its connection.
 */
function leaving(blob: OpenBlob, digest: Digest): ReadableStream<Uint8Array> {
  const chunks = verified(blob, digest);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return(undefined);
        await blob.close();
      },
    },
    { highWaterMark: 0 },
  );
}

async function* verified(blob: OpenBlob, digest: Digest): AsyncGenerator<Uint8Array, undefined> {
  const hash = createHash('sha256');
  let held: Uint8Array | undefined;
  try {
    for await (const chunk of blob.chunks()) {
      hash.update(chunk);
      if (held !== undefined) yield held;
      held = chunk;
    }
    if (hash.digest('hex') === digest && held !== undefined) yield held;
  } finally {
    await blob.close();
  }
  return undefined;
}
