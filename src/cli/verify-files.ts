/** Verifies files as `exequatur verify` is told to, and says what came of each. */
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { RECEIPT_BYTES_MAX } from '../ledger/receipt.ts';
import {
  readTrustPolicy,
  TrustPolicyError,
  verifyExport,
  verifyReceipt,
  type Trust,
} from '../ledger/verify.ts';
import { CliError, usageError } from './cli-error.ts';
import type { CommandContext, Given } from './command.ts';
import type { ExitCode } from './exits.ts';
import { safeText } from './safe-text.ts';

type Told = Awaited<ReturnType<typeof verifyReceipt>> | Awaited<ReturnType<typeof verifyExport>>;

/** Verifies every file that was given; answers the exit code of the worst. */
export async function verifyFiles(context: CommandContext, given: Given): Promise<ExitCode> {
  const { directory } = context.terminal;
  const trustFile = given.text('trust');
  if (trustFile === undefined) {
    throw usageError('`--trust <file>` is missing', 'docs/ledger.md says how to come by one');
  }
  const trust = await trustOf(resolve(directory, trustFile));
  const since = await Promise.all(
    given
      .texts('since')
      .map(async (file) => new TextDecoder().decode(await read(resolve(directory, file)))),
  );
  const verdicts = new Set<Told['status']>();
  for (const name of given.words) {
    const told = await verdictOn(resolve(directory, name), { trust, since });
    verdicts.add(told.status);
    context.tell({ file: name, ...told });
    say(context, name, told);
  }
  return exitOf(verdicts);
}

function exitOf(verdicts: ReadonlySet<Told['status']>): ExitCode {
  if (verdicts.has('not_genuine')) return 1;
  return verdicts.has('cannot_tell') ? 2 : 0;
}

async function trustOf(file: string): Promise<Trust> {
  try {
    return { policy: readTrustPolicy(await read(file)), now: Date.now() };
  } catch (error) {
    if (!(error instanceof TrustPolicyError)) throw error;
    throw new CliError({
      exit: 2,
      code: 'trust_invalid',
      message: `\`${basename(file)}\` is no key policy: ${error.message}`,
      hint: 'lines are `log VKEY`, `witness NAME VKEY`, `group NAME all|any|K NAME...`, `quorum NAME|none`',
    });
  }
}

interface Against {
  readonly trust: Trust;
  readonly since: readonly string[];
}

/** What a file is, its first byte says: a receipt is a JSON object. */
async function verdictOn(file: string, { trust, since }: Against): Promise<Told> {
  if ((await firstByte(file)) !== OPEN_BRACE) {
    return verifyExport(createReadStream(file, { highWaterMark: CHUNK_BYTES }), trust, since);
  }
  return verifyReceipt(await read(file), trust);
}

const OPEN_BRACE = 0x7b;
const CHUNK_BYTES = 262_144;

async function firstByte(file: string): Promise<number | undefined> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(1), 0, 1, 0);
      return bytesRead === 0 ? undefined : buffer[0];
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function read(file: string): Promise<Uint8Array> {
  try {
    const bytes = await readFile(file);
    // One byte beyond the limit is enough for the verifier to say so.
    return new Uint8Array(
      bytes.buffer,
      bytes.byteOffset,
      Math.min(bytes.length, RECEIPT_BYTES_MAX + 1),
    );
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, cause: unknown): CliError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  return new CliError({
    exit: 2,
    code: 'file_unreadable',
    message: `\`${basename(file)}\` cannot be read: ${code}`,
    hint: 'give the path of a file that is there',
    cause,
  });
}

function say(context: CommandContext, name: string, told: Told): void {
  const file = safeText(name);
  if (told.status !== 'genuine') {
    const [style, word] =
      told.status === 'not_genuine'
        ? (['bad', 'NOT GENUINE'] as const)
        : (['waiting', 'CANNOT TELL'] as const);
    context.say(`${context.paint(style, word)} · ${file} · ${safeText(told.message)}`);
    return;
  }
  context.say(`${context.paint('good', 'GENUINE')} · ${file} · ${safeText(told.summary)}`);
  for (const line of told.proved) context.say(` ${context.paint('good', '✓')} ${safeText(line)}`);
  context.say(' not proved:');
  for (const line of told.unproved) context.say(` - ${safeText(line)}`);
}
