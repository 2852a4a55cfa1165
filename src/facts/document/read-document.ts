/** Reads a configuration file from disk, with a limit before anything is allocated for it. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Position, Problem } from '../../kernel/document.ts';
import { readYaml, type YamlRead } from './yaml.ts';

/** The largest configuration file in bytes. */
export const DOCUMENT_BYTES_MAX = 4_194_304;

/** The codes of a file that cannot be read at all, beside `YAML_CODES`. */
const DOCUMENT_FILE_CODES = [
  /** There is no such file. */
  'file_not_found',
  /** It exists and cannot be read. */
  'file_unreadable',
  /** It has more bytes than `DOCUMENT_BYTES_MAX`. */
  'file_too_large',
  /** Its bytes are no UTF-8. */
  'file_not_utf8',
] as const;

/** The YAML document in a file; what is wrong with the file itself is a problem at its first character. */
export async function readDocument(path: string): Promise<YamlRead> {
  const position: Position = { file: path, line: 1, column: 1 };
  const refused = (code: (typeof DOCUMENT_FILE_CODES)[number], message: string): YamlRead => {
    const problem: Problem = { code, severity: 'error', message, position };
    return { document: undefined, problems: [problem] };
  };
  let bytes: Uint8Array | undefined;
  try {
    bytes = await readBounded(path, DOCUMENT_BYTES_MAX);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return code === 'ENOENT'
      ? refused('file_not_found', `there is no file \`${path}\``)
      : refused('file_unreadable', `\`${path}\` cannot be read: ${code}`);
  }
  if (bytes === undefined) {
    return refused('file_too_large', `\`${path}\` has more than ${DOCUMENT_BYTES_MAX} bytes`);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refused('file_not_utf8', `\`${path}\` is not utf-8`);
  }
  return readYaml(text, path);
}

/** The path leads to a directory, a pipe or a device. */
class NotAFileError extends Error {
  override readonly name = 'NotAFileError';
  readonly code = 'not_a_file';

  constructor(path: string) {
    super(`\`${path}\` is not a file`);
  }
}

/** The bytes of a file, or `undefined` where it has more than `bytesMax`; stops reading one past it. */
export async function readBounded(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  // Without O_NONBLOCK a pipe without a writer would hold a thread for good.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw new NotAFileError(path);
    const chunks: Uint8Array[] = [];
    let length = 0;
    // A file may grow, and some report no size at all, so what counts is what is read.
    while (length <= bytesMax) {
      const chunk = new Uint8Array(Math.min(65_536, bytesMax + 1 - length));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length);
      if (bytesRead === 0) return Buffer.concat(chunks, length);
      chunks.push(chunk.subarray(0, bytesRead));
      length += bytesRead;
    }
    return undefined;
  } finally {
    await handle.close();
  }
}
