/** Blobs: large inputs of actions, put by agents and looked at by whoever approves them. */
import { createHash } from 'node:crypto';
import { createReadStream, openAsBlob, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CliError, usageError } from '../cli-error.ts';
import { word, type Command } from '../command.ts';
import { safeText } from '../safe-text.ts';

/** How long an upload or a download may take. */
const TRANSFER_MS_MAX = 3_600_000;

/** `blob put`. */
export const blobPut: Command = {
  name: 'blob put',
  summary: 'put a file for actions to name, and print its name',
  description:
    'What is printed stands in arguments of the type `blob`. The file is read twice: once for its SHA-256, once on its way. A blob that no open action names goes away after a day, unless it is configured otherwise; putting it again keeps it.',
  arguments: [{ name: 'file', summary: 'the file' }],
  client: true,
  examples: ['exequatur blob put tfplan --as infra-bot', 'exequatur blob put tfplan --json'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const file = resolve(context.terminal.directory, word(given));
    const sha256 = await hashOf(file);
    const bytes = await openAsBlob(file);
    const api = await context.api(['agent']);
    const put = await api.call('putBlob', {
      parameters: { sha256 },
      bytes,
      timeoutMs: TRANSFER_MS_MAX,
    });
    context.tell(put);
    context.say(put.blob);
    return 0;
  },
};

/** `blob get`. */
export const blobGet: Command = {
  name: 'blob get',
  summary: 'write the bytes of a blob to a new file, to look at them before saying yes',
  description:
    'The bytes are checked against the name; a file that is there is never replaced, and one that did not come whole is removed.',
  arguments: [
    { name: 'name', summary: 'name of the blob, `sha256:…`' },
    { name: 'file', summary: 'the file to make' },
  ],
  client: true,
  examples: ['exequatur blob get sha256:9f86…0a08 tfplan --as mei'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const sha256 = /^(?:sha256:)?([0-9a-f]{64})$/u.exec(word(given))?.[1];
    if (sha256 === undefined) {
      throw usageError('this is not the name of a blob', 'it is `sha256:` and 64 hex digits');
    }
    const api = await context.api(['person', 'agent']);
    const chunks = await api.download('blob', {
      parameters: { sha256 },
      timeoutMs: TRANSFER_MS_MAX,
    });
    const file = resolve(context.terminal.directory, word(given, 1));
    const bytes = await save(chunks, file, sha256);
    context.tell({ blob: `sha256:${sha256}`, bytes, file });
    context.say(`${safeText(file)} (${String(bytes)} bytes)`);
    return 0;
  },
};

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk);
  } catch (error) {
    throw unusable(file, 'read', error);
  }
  return hash.digest('hex');
}

async function save(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  sha256: string,
): Promise<number> {
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    throw unusable(path, 'made', error);
  });
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
      await file.appendFile(chunk);
    }
    if (hash.digest('hex') !== sha256) throw new Error('other bytes came');
    return bytes;
  } catch (error) {
    rmSync(path, { force: true });
    throw new CliError({
      exit: 1,
      code: 'blob_not_whole',
      message: 'the blob did not come whole; nothing was kept',
      hint: 'try again; if it stays so, its stored bytes were changed: ask for it to be put again',
      cause: error,
    });
  } finally {
    await file.close();
  }
}

function unusable(file: string, verb: string, error: unknown): CliError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return new CliError({
    exit: 1,
    code: 'file_unusable',
    message: `\`${file}\` cannot be ${verb} (${code})`,
    cause: error,
  });
}
