/** The ledger taken along: receipts of single actions, the newest checkpoint, and all of it as one file. */
import { createWriteStream, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readCheckpoint } from '../../ledger/checkpoint.ts';
import { composeExport } from '../../ledger/export.ts';
import { readNote } from '../../ledger/note.ts';
import { readBundle, tilePath, TILE_WIDTH } from '../../ledger/tile.ts';
import { RECEIPT_BYTES_MAX } from '../../ledger/receipt.ts';
import type { Api } from '../api.ts';
import { CliError } from '../cli-error.ts';
import { word, type Command } from '../command.ts';
import { findAction } from '../find-action.ts';
import { safeText } from '../safe-text.ts';
import { ID } from './actions.ts';

const CHECKPOINT_BYTES_MAX = 65_536;
const BUNDLE_BYTES_MAX = TILE_WIDTH * 65_537;

/** `receipt`. */
export const receipt: Command = {
  name: 'receipt',
  summary: 'everything that proves one action, to be verified offline',
  description:
    'Of an action that is not settled it proves what happened so far, and says so. Verify it with `exequatur verify`; the name by custom is `<id>.receipt.json`.',
  arguments: [ID],
  options: [
    { flags: '--out <file>', summary: 'write it to this new file instead of standard output' },
  ],
  client: true,
  examples: ['exequatur receipt 0193 --out 0193.receipt.json', 'exequatur receipt 0193 | jq .'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const api = await context.api(['operator', 'person', 'agent']);
    const id = await findAction(api, word(given));
    const chunks = await api.download('receipt', { parameters: { id } });
    const bytes = await collected(chunks, RECEIPT_BYTES_MAX);
    const out = given.text('out');
    if (out === undefined) {
      context.terminal.stdout.write(`${Buffer.from(bytes).toString('utf8')}\n`);
      return 0;
    }
    const file = resolve(context.terminal.directory, out);
    writeNew(file, bytes);
    context.tell({ id, file, bytes: bytes.length });
    context.say(`${safeText(file)} (${String(bytes.length)} bytes)`);
    return 0;
  },
};

/** `ledger checkpoint`. */
export const ledgerCheckpoint: Command = {
  name: 'ledger checkpoint',
  summary: 'print the newest signed checkpoint, to be kept elsewhere',
  description:
    'Whoever keeps it finds out later, with `exequatur verify --since`, whether an older copy or a second history of the ledger is shown.',
  client: true,
  examples: ['exequatur ledger checkpoint > checkpoint.2026-11-22'],
  exits: [0, 1, 6, 7],
  async run(context) {
    const api = await context.api(['operator', 'person']);
    const note = await checkpointOf(api);
    context.tell({ checkpoint: note });
    for (const line of note.slice(0, -1).split('\n')) context.say(safeText(line));
    return 0;
  },
};

/** `ledger export`. */
export const ledgerExport: Command = {
  name: 'ledger export',
  summary: 'write all entries under the newest checkpoint to a new file, while the layer goes on',
  description:
    'Entries name what could be personal or secret by digest only, so that the file holds none of it. Verify it with `exequatur verify`.',
  arguments: [{ name: 'file', summary: 'the file to make' }],
  client: true,
  examples: ['exequatur ledger export ledger.export'],
  exits: [0, 1, 6, 7],
  async run(context, given) {
    const api = await context.api(['operator', 'person']);
    const checkpoint = await checkpointOf(api);
    const { origin, size } = readCheckpoint(readNote(checkpoint).text);
    const file = resolve(context.terminal.directory, word(given));
    const target = createWriteStream(file, { flags: 'wx', mode: 0o600 });
    let isMade = false;
    target.once('open', () => {
      isMade = true;
    });
    try {
      const bytes = composeExport({ checkpoint, entries: entriesOf(api, size) });
      await pipeline(Readable.from(bytes, { objectMode: false }), target);
    } catch (error) {
      // What is there already stays; what did not come whole is removed.
      if (isMade) rmSync(file, { force: true });
      throw error instanceof CliError ? error : unusable(file, error);
    }
    context.tell({ file, origin, entries: size });
    context.say(`${safeText(file)}: ${String(size)} entries of ${safeText(origin)}`);
    return 0;
  },
};

async function checkpointOf(api: Api): Promise<string> {
  const chunks = await api.download('checkpoint', {});
  return Buffer.from(await collected(chunks, CHECKPOINT_BYTES_MAX)).toString('utf8');
}

/** Bundle by bundle, so that memory does not grow with the ledger. */
async function* entriesOf(api: Api, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < size; from += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, size - from);
    const path = tilePath({ level: 'entries', index: from / TILE_WIDTH, width });
    const tile = path.replace(/^tile\//u, '');
    const bundle = await collected(
      await api.download('tile', { parameters: { tile } }),
      BUNDLE_BYTES_MAX,
    );
    const entries = readBundle(bundle);
    if (entries?.length !== width) throw incomplete();
    yield* entries;
  }
}

async function collected(chunks: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > bytesMax) throw incomplete();
    all.push(chunk);
  }
  return Buffer.concat(all);
}

function incomplete(): CliError {
  return new CliError({
    exit: 6,
    code: 'not_a_daemon',
    message: 'the daemon answered with something else than a ledger',
    hint: 'check that command and daemon are of the same version',
  });
}

function writeNew(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw unusable(file, error);
  }
}

function unusable(file: string, error: unknown): CliError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return new CliError({
    exit: 1,
    code: 'file_unusable',
    message: `\`${file}\` cannot be made (${code})`,
    cause: error,
  });
}
