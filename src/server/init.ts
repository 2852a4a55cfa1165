/** An empty start: writes the three files of a layer where none of them is, and starts nothing. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Initialised, InitOptions, Refused } from '../cli/server-door.ts';
import { nearPath } from './problems.ts';
import { STARTER_FILES } from './starter-files.ts';

/** Writes all of the files, or none where one of them is there already. */
export function init(options: InitOptions): Initialised | Refused {
  const directory = resolve(options.from, options.directory);
  const names = Object.keys(STARTER_FILES);
  const there = names.filter((name) => existsSync(join(directory, name)));
  if (there.length > 0) return refusal(there, directory, options.from);
  try {
    mkdirSync(directory, { recursive: true });
    for (const [name, text] of Object.entries(STARTER_FILES)) {
      // Never over a file that came there meanwhile.
      writeFileSync(join(directory, name), text, { flag: 'wx' });
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
    return {
      kind: 'refused',
      code: code === 'EEXIST' ? 'file_exists' : 'directory_not_writable',
      message: `the files cannot be written to \`${nearPath(directory, options.from)}\` (${code})`,
      hint: 'name a directory that you may write to',
    };
  }
  return {
    kind: 'written',
    directory: nearPath(directory, options.from),
    files: names.map((name) => nearPath(join(directory, name), options.from)),
  };
}

function refusal(there: readonly string[], directory: string, from: string): Refused {
  const files = there.map((name) => `\`${nearPath(join(directory, name), from)}\``).join(', ');
  return {
    kind: 'refused',
    code: 'file_exists',
    message: `${files} ${there.length === 1 ? 'is' : 'are'} there already: nothing was written`,
    hint: 'name another directory; nothing is ever overwritten',
  };
}
