import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import type { BlobPut, BlobStore, BlobUse, Clock } from '../../engine/ports.ts';
import { parseDigest, type Digest } from '../../kernel/digest.ts';
import { parseAgentName, parseTenantName } from '../../kernel/id.ts';
import { instantOf } from '../../kernel/instant.ts';
import { openFileBlobs } from './file-blobs.ts';
import { BYTES_COUNTED_MIN, type BlobLimits } from './limits.ts';

const KEEP_MS = 60_000;
const TENANT = parseTenantName('test') ?? assert.fail();
const AGENTS = ['bot', 'other', 'third'].map((name) => parseAgentName(name) ?? assert.fail());
const [BOT = assert.fail(), OTHER = assert.fail(), THIRD = assert.fail()] = AGENTS;

let directory: string;
let nowMs: number;
let blobs: BlobStore;

const clock: Clock = {
  now: () => instantOf(nowMs),
  monotonicMs: () => nowMs,
  sleep: () => Promise.resolve(),
};

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'exequatur-blobs-')), 'blobs');
  nowMs = Date.now();
  blobs = opened();
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }));

function opened(limits: Partial<BlobLimits> = {}): BlobStore {
  return openFileBlobs({ directory, clock, limits: { keepMs: KEEP_MS, ...limits } });
}

function digestOf(bytes: Uint8Array): Digest {
  return parseDigest(createHash('sha256').update(bytes).digest('hex')) ?? assert.fail();
}

async function* whole(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

interface Putting {
  readonly agent?: BlobUse['agent'];
  readonly digest?: Digest;
  readonly bytesDeclared?: number;
  readonly body?: AsyncIterable<Uint8Array>;
}

function put(bytes: Uint8Array, putting: Putting = {}): Promise<BlobPut> {
  return blobs.put({
    tenant: TENANT,
    agent: BOT,
    digest: digestOf(bytes),
    bytesDeclared: undefined,
    body: whole(bytes),
    ...putting,
  });
}

function codeOf(put_: BlobPut): string {
  return put_.kind === 'refused' ? put_.code : put_.kind;
}

function use(bytes: Uint8Array, agent = BOT): BlobUse {
  return { tenant: TENANT, agent, digest: digestOf(bytes) };
}

async function read(bytes: Uint8Array): Promise<Buffer | undefined> {
  const blob = await blobs.open(TENANT, digestOf(bytes));
  if (blob === undefined) return undefined;
  try {
    return await allOf(blob.chunks());
  } finally {
    await blob.close();
  }
}

async function allOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** Every file of the directory, by its path in it. */
function files(): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}

const TEXT = Buffer.from('a plan');

describe('putting', () => {
  test('bytes of the right digest are kept, and nobody else may read them', async () => {
    assert.deepEqual(await put(TEXT), { kind: 'stored', bytes: TEXT.length });
    assert.deepEqual(await read(TEXT), TEXT);
    assert.deepEqual(files().toSorted(), [digestOf(TEXT), `${digestOf(TEXT)}.bot`]);
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    assert.equal(statSync(join(directory, 'test')).mode & 0o777, 0o700);
    for (const name of files()) {
      assert.equal(statSync(join(directory, 'test', name)).mode & 0o777, 0o600);
    }
  });

  test('an empty blob is one', async () => {
    assert.deepEqual(await put(Buffer.alloc(0)), { kind: 'stored', bytes: 0 });
    assert.deepEqual(await read(Buffer.alloc(0)), Buffer.alloc(0));
  });

  test('bytes of another digest leave nothing', async () => {
    assert.equal(
      codeOf(await put(TEXT, { digest: digestOf(Buffer.from('b')) })),
      'blob_digest_mismatch',
    );
    assert.deepEqual(files(), []);
    assert.equal(blobs.has(use(Buffer.from('b'))), false);
  });

  test('an upload that breaks off leaves nothing, and gives its room back', async () => {
    blobs = opened({ bytesPerAgentMax: BYTES_COUNTED_MIN, uploadsMax: 1 });
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(TEXT.subarray(0, 3));
      throw new Error('the line is cut');
    }
    await assert.rejects(put(TEXT, { body: broken() }), /the line is cut/u);
    assert.deepEqual(files(), []);
    assert.equal(codeOf(await put(TEXT)), 'stored');
  });

  test('the same bytes give the same answer, whoever put them before, and are read to their end', async () => {
    const first = await put(TEXT);
    let count = 0;
    async function* counting(): AsyncGenerator<Uint8Array> {
      for (const byte of TEXT) {
        count += 1;
        yield await Promise.resolve(Buffer.of(byte));
      }
    }
    assert.deepEqual(await put(TEXT, { agent: OTHER, body: counting() }), first);
    assert.equal(count, TEXT.length);
    const other = Buffer.from('other bytes');
    const wrong = await put(TEXT, { agent: OTHER, body: whole(other) });
    assert.equal(codeOf(wrong), 'blob_digest_mismatch');
    assert.deepEqual(await read(TEXT), TEXT);
  });

  test('a blob is only of agents that put it themselves', async () => {
    await put(TEXT);
    assert.deepEqual([blobs.has(use(TEXT)), blobs.keep(use(TEXT))], [true, true]);
    assert.deepEqual([blobs.has(use(TEXT, OTHER)), blobs.keep(use(TEXT, OTHER))], [false, false]);
    const elsewhere = parseTenantName('elsewhere') ?? assert.fail();
    assert.equal(await blobs.open(elsewhere, digestOf(TEXT)), undefined);
  });

  test('putting it again makes right what was changed behind the layer', async () => {
    await put(TEXT);
    writeFileSync(join(directory, 'test', digestOf(TEXT)), 'something else and longer');
    // One byte more than was put is enough to see that it is something else.
    assert.equal((await read(TEXT))?.length, TEXT.length + 1);
    blobs = opened();
    await put(TEXT);
    assert.deepEqual(await read(TEXT), TEXT);
  });
});

function filled(length: number, fill = 1): Buffer {
  return Buffer.alloc(length, fill);
}

describe('limits', () => {
  test('a blob has at most so many bytes, whether or not they are announced', async () => {
    blobs = opened({ bytesMax: 100 });
    assert.equal(codeOf(await put(filled(100))), 'stored');
    let isRead = false;
    async function* body(): AsyncGenerator<Uint8Array> {
      isRead = true;
      yield await Promise.resolve(filled(101));
    }
    const announced = await put(filled(101), { bytesDeclared: 101, body: body() });
    assert.deepEqual([codeOf(announced), isRead], ['blob_too_large', false]);
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given += 1;
        yield await Promise.resolve(filled(50));
      }
    }
    const grown = await put(filled(101), { bytesDeclared: 50, body: endless() });
    assert.deepEqual([codeOf(grown), given], ['blob_too_large', 3]);
    assert.equal(files().length, 2);
  });

  test('an agent has so much room; small blobs count as larger ones; what goes makes room', async () => {
    blobs = opened({ bytesPerAgentMax: 2 * BYTES_COUNTED_MIN });
    assert.equal(codeOf(await put(filled(1, 1))), 'stored');
    assert.equal(codeOf(await put(filled(BYTES_COUNTED_MIN, 2))), 'stored');
    assert.equal(codeOf(await put(filled(1, 3))), 'blobs_of_agent_full');
    assert.equal(codeOf(await put(filled(1, 1))), 'stored', 'what is there takes no more room');
    assert.equal(codeOf(await put(filled(1, 3), { agent: OTHER })), 'stored');
    nowMs += KEEP_MS + 1;
    await blobs.expire([]);
    assert.equal(codeOf(await put(filled(2 * BYTES_COUNTED_MIN, 3))), 'stored');
    assert.equal(codeOf(await put(filled(1, 4))), 'blobs_of_agent_full');
  });

  test('all have so much room, equal bytes count once, and a full store tells nobody what is in it', async () => {
    blobs = opened({ bytesTotalMax: 2 * BYTES_COUNTED_MIN });
    await put(filled(1, 1));
    assert.equal(codeOf(await put(filled(1, 1), { agent: OTHER })), 'stored');
    assert.equal(codeOf(await put(filled(1, 2))), 'stored');
    const there = await put(filled(1, 2), { agent: OTHER });
    const notThere = await put(filled(1, 3), { agent: OTHER });
    assert.deepEqual([codeOf(there), codeOf(notThere)], ['blobs_full', 'blobs_full']);
    assert.equal(codeOf(await put(filled(1, 2))), 'stored', 'its own again');
  });

  test('what is on its way takes room, and so many are on their way at once', async () => {
    blobs = opened({ bytesTotalMax: 2 * BYTES_COUNTED_MIN, uploadsMax: 3, uploadsPerAgentMax: 2 });
    const gate = Promise.withResolvers<void>();
    async function* waiting(fill: number): AsyncGenerator<Uint8Array> {
      await gate.promise;
      yield filled(1, fill);
    }
    const first = put(filled(1, 1), { body: waiting(1) });
    const second = put(filled(1, 2), { body: waiting(2) });
    assert.equal(codeOf(await put(filled(1, 3))), 'too_many_uploads');
    assert.equal(codeOf(await put(filled(1, 3), { agent: OTHER })), 'blobs_full');
    const third = put(filled(1, 1), { agent: THIRD, body: waiting(1) });
    assert.equal(codeOf(await third), 'blobs_full');
    gate.resolve();
    assert.deepEqual([codeOf(await first), codeOf(await second)], ['stored', 'stored']);
    assert.equal(codeOf(await put(filled(1, 1))), 'stored');
  });
});

describe('going away', () => {
  test('what nobody uses is kept for its time and then gone', async () => {
    await put(TEXT);
    nowMs += KEEP_MS - 1;
    assert.equal(await blobs.expire([]), 0);
    assert.deepEqual(await read(TEXT), TEXT);
    nowMs += 1;
    assert.equal(await blobs.expire([]), 1);
    assert.equal(await read(TEXT), undefined);
    assert.deepEqual(files(), []);
  });

  test('putting it again, and naming it, keeps it for the whole time again', async () => {
    const named = Buffer.from('named');
    await put(TEXT);
    await put(named);
    nowMs += KEEP_MS - 1;
    await put(TEXT);
    assert.ok(blobs.keep(use(named)));
    nowMs += KEEP_MS - 1;
    assert.equal(await blobs.expire([]), 0);
    nowMs += 1;
    assert.equal(await blobs.expire([]), 2);
  });

  test('what an action uses stays until the action has ended, and then for its time', async () => {
    await put(TEXT);
    for (let turn = 0; turn < 5; turn += 1) {
      nowMs += KEEP_MS;
      assert.equal(await blobs.expire([use(TEXT)]), 0);
    }
    // The action may have ended right before this look.
    nowMs += KEEP_MS / 2;
    assert.equal(await blobs.expire([]), 0);
    nowMs += KEEP_MS - 1;
    assert.equal(await blobs.expire([]), 0);
    nowMs += 1;
    assert.equal(await blobs.expire([]), 1);
  });

  test('it goes for one agent and stays for another, and is gone with the last', async () => {
    await put(TEXT);
    nowMs += KEEP_MS / 2;
    await put(TEXT, { agent: OTHER });
    nowMs += KEEP_MS / 2;
    assert.equal(await blobs.expire([]), 0);
    assert.deepEqual([blobs.has(use(TEXT)), blobs.has(use(TEXT, OTHER))], [false, true]);
    assert.deepEqual(files().toSorted(), [digestOf(TEXT), `${digestOf(TEXT)}.other`]);
    nowMs += KEEP_MS / 2;
    assert.equal(await blobs.expire([]), 1);
  });

  test('who reads it while it goes away reads it to its end', async () => {
    const large = Buffer.alloc(1_000_000, 7);
    await put(large);
    const blob = (await blobs.open(TENANT, digestOf(large))) ?? assert.fail();
    nowMs += KEEP_MS;
    assert.equal(await blobs.expire([]), 1);
    assert.deepEqual(await allOf(blob.chunks()), large);
    await blob.close();
  });
});

describe('starting again', () => {
  test('everything is as it was: bytes, agents, times and room', async () => {
    await put(TEXT);
    nowMs += KEEP_MS / 2;
    await put(TEXT, { agent: OTHER });
    blobs = opened({ bytesPerAgentMax: BYTES_COUNTED_MIN });
    assert.deepEqual(await read(TEXT), TEXT);
    assert.deepEqual([blobs.has(use(TEXT)), blobs.has(use(TEXT, OTHER))], [true, true]);
    assert.equal(codeOf(await put(Buffer.from('more'))), 'blobs_of_agent_full');
    nowMs += KEEP_MS / 2;
    await blobs.expire([]);
    assert.deepEqual([blobs.has(use(TEXT)), blobs.has(use(TEXT, OTHER))], [false, true]);
  });

  test('what a crash left is removed, and what is ours stays', async () => {
    await put(TEXT);
    const folder = join(directory, 'test');
    const [lost, none] = ['1'.repeat(64), '2'.repeat(64)];
    writeFileSync(join(directory, '.upload-0123'), 'half');
    writeFileSync(join(directory, '.gone-0123'), 'expired');
    writeFileSync(join(folder, lost), 'bytes that no agent has');
    writeFileSync(join(folder, `${none}.bot`), '');
    writeFileSync(join(folder, 'something'), 'else');
    mkdirSync(join(folder, '3'.repeat(64)));
    blobs = opened();
    assert.deepEqual(readdirSync(directory), ['test']);
    assert.deepEqual(readdirSync(folder).toSorted(), [digestOf(TEXT), `${digestOf(TEXT)}.bot`]);
    assert.deepEqual(await read(TEXT), TEXT);
  });

  test('a file that is gone is not there, and one from the future is kept no longer', async () => {
    await put(TEXT);
    const path = join(directory, 'test', digestOf(TEXT));
    utimesSync(`${path}.bot`, nowMs / 1000 + 1e6, nowMs / 1000 + 1e6);
    blobs = opened();
    rmSync(path);
    assert.equal(await blobs.open(TENANT, digestOf(TEXT)), undefined);
    nowMs += KEEP_MS;
    assert.equal(await blobs.expire([]), 1);
    assert.ok(!existsSync(`${path}.bot`));
  });

  test('a link in the place of a blob is not followed', async () => {
    await put(TEXT);
    const path = join(directory, 'test', digestOf(TEXT));
    rmSync(path);

    symlinkSync('/etc/hostname', path);
    assert.equal(await blobs.open(TENANT, digestOf(TEXT)), undefined);
  });
});
