/** A configuration file as it was read once: what is compiled and what the ledger keeps are the same text. */
import { basename, dirname, join } from 'node:path';
import { DOCUMENT_BYTES_MAX, readBounded, readDocument } from '../facts/document/read-document.ts';
import { readYaml, type YamlRead } from '../facts/document/yaml.ts';

/** A file's document with its text. */
export interface SourceFile extends YamlRead {
  readonly path: string;
  /** `undefined` where it could not be read. */
  readonly text: string | undefined;
}

/** Reads a YAML file; what is wrong with it is among its problems. */
export async function readSource(path: string): Promise<SourceFile> {
  let text: string;
  try {
    const bytes = await readBounded(path, DOCUMENT_BYTES_MAX);
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (bytes === undefined) return { path, text: undefined, ...(await readDocument(path)) };
  } catch {
    // The reader of documents says what is wrong with such a file.
    return { path, text: undefined, ...(await readDocument(path)) };
  }
  return sourceOf({ path, text });
}

/** A file's document from a text that was read before. */
export function sourceOf({
  path,
  text,
}: {
  readonly path: string;
  readonly text: string;
}): SourceFile {
  return { path, text, ...readYaml(text, path) };
}

/** The lock file beside an inventory: `inventory.yaml` has `inventory.lock.yaml`. */
export function lockFileOf(inventory: string): string {
  return join(dirname(inventory), `${basename(inventory).replace(/\.ya?ml$/u, '')}.lock.yaml`);
}
