/**
 * Imports for the command: reads what is to be imported, and tries whether the draft compiles. It asks
 * no daemon, runs nothing and overwrites nothing.
 */
import { open } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { ImportOptions, InventoryImported } from '../cli/server-door.ts';
import { readBounded } from '../facts/document/read-document.ts';
import { readYaml } from '../facts/document/yaml.ts';
import { compileInventory } from '../facts/inventory/compile.ts';
import { importCurl } from '../facts/inventory/import/curl.ts';
import { IMPORT_LIMITS, type Imported } from '../facts/inventory/import/draft.ts';
import { importOpenApi } from '../facts/inventory/import/openapi.ts';
import { isName } from '../kernel/id.ts';
import { documentProblem } from './problems.ts';

/** How long a document may take to come. */
const FETCH_MS_MAX = 30_000;

/** Makes an inventory from a document or a command line, and writes it where that is asked for. */
export async function inventoryImport(options: ImportOptions): Promise<InventoryImported> {
  const { target } = options;
  if (target !== undefined && !isName(target)) {
    return refused('name_refused', `\`${target}\` is not a name that a target can have`);
  }
  const named = target === undefined ? {} : { target };
  const imported =
    options.from === 'curl'
      ? importCurl(options.source, named)
      : await importDocument(options, named);
  if ('kind' in imported) return imported;
  if (!imported.ok) return { kind: 'refused', ...imported };
  const { text, operations } = imported;
  const file = options.write === undefined ? undefined : resolve(options.directory, options.write);
  if (file !== undefined) {
    const problem = await writeNew(file, text);
    if (problem !== undefined) return problem;
  }
  const problems = problemsOf(text, options.directory);
  return { kind: 'imported', text, operations, problems, ...(file === undefined ? {} : { file }) };
}

function refused(code: string, message: string): InventoryImported & { readonly kind: 'refused' } {
  return { kind: 'refused', code, message };
}

/** What a load would say of the draft as it stands. */
function problemsOf(
  text: string,
  directory: string,
): Extract<InventoryImported, { readonly kind: 'imported' }>['problems'] {
  const { document, problems } = readYaml(text, resolve(directory, 'draft'));
  const compiled =
    document === undefined ? [] : compileInventory({ document, baseDirectory: directory }).problems;
  return [...problems, ...compiled]
    .filter(({ severity }) => severity === 'error')
    .map((problem) => documentProblem(problem, directory));
}

/** INVARIANT: what a person wrote is never overwritten, also where a link leads to it. */
async function writeNew(file: string, text: string): Promise<InventoryImported | undefined> {
  try {
    const handle = await open(file, 'wx', 0o644);
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
    return undefined;
  } catch (error) {
    const code = errorName(error);
    return code === 'EEXIST'
      ? refused('file_exists', `\`${file}\` is there already, and nothing is overwritten`)
      : refused('file_unwritable', `\`${file}\` cannot be written: ${code}`);
  }
}

function errorName(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

// ---------------------------------------------------------------- documents

async function importDocument(
  { source, directory }: ImportOptions,
  named: { readonly target?: string },
): Promise<Imported | (InventoryImported & { readonly kind: 'refused' })> {
  const isAddress = /^https?:\/\//iu.test(source);
  const read = isAddress ? await fetchText(source) : await fileText(resolve(directory, source));
  if ('kind' in read) return read;
  return importOpenApi(read.text, {
    origin: isAddress ? new URL(source).host : basename(source),
    ...(isAddress ? { address: source } : {}),
    ...named,
  });
}

type Read = { readonly text: string } | (InventoryImported & { readonly kind: 'refused' });

async function fileText(path: string): Promise<Read> {
  try {
    const bytes = await readBounded(path, IMPORT_LIMITS.documentBytesMax);
    return bytes === undefined ? tooLarge() : decode(bytes);
  } catch (error) {
    return refused('file_unreadable', `\`${path}\` cannot be read: ${errorName(error)}`);
  }
}

function tooLarge(): Read {
  const limit = String(IMPORT_LIMITS.documentBytesMax);
  return refused('import_too_large', `the document has more than ${limit} bytes`);
}

function decode(bytes: Uint8Array): Read {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    // The decoder's error says only what the code says.
    return refused('document_unreadable', 'the document is not utf-8');
  }
}

async function fetchText(address: string): Promise<Read> {
  try {
    const answer = await fetch(address, {
      signal: AbortSignal.timeout(FETCH_MS_MAX),
      headers: { accept: 'application/json, application/yaml, */*;q=0.1' },
    });
    if (!answer.ok) {
      await answer.body?.cancel();
      return refused('document_unavailable', `the address answers ${String(answer.status)}`);
    }
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of answer.body ?? []) {
      length += chunk.length;
      // Leaving the loop ends the answer, however much more of it there is.
      if (length > IMPORT_LIMITS.documentBytesMax) return tooLarge();
      chunks.push(chunk);
    }
    return decode(Buffer.concat(chunks, length));
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown';
    return refused('document_unavailable', `the address cannot be read (${name})`);
  }
}
