/**
 * Finds the one daemon and the key to it. A daemon leaves `daemon.json` in its data directory and takes
 * it away when it stops; a file that a crash left behind is told from a live one by its process id.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { keySortOf, type KeySort } from '../protocol/keys.ts';
import { CliError } from './cli-error.ts';
import type { Terminal } from './terminal.ts';

/** The name of the file in the data directory. */
export const DAEMON_FILE = 'daemon.json';
/** The operator's key in the data directory, readable by its owner only. */
export const OPERATOR_KEY_FILE = 'operator.key';

/** What a running daemon says of itself. */
export interface DaemonFile {
  readonly url: string;
  readonly pid: number;
  readonly started: string;
}

const daemonFile: z.ZodType<DaemonFile> = z.object({
  url: z.url(),
  pid: z.int().positive(),
  started: z.string(),
});

/** Where the layer is and who asks, as given on the command line. */
export interface Wanted {
  readonly url: string | undefined;
  readonly data: string | undefined;
  readonly keyFile: string | undefined;
  readonly as: string | undefined;
}

/** Where the daemon answers. */
export interface Found {
  readonly url: string;
  /** Where its data lies, if that is known. */
  readonly data: string | undefined;
}

const START_HINT = 'start it with `exequatur dev` or `exequatur serve`, or name it with `--url`';

/** The daemon's address, or an error that says what to do. */
export function findDaemon(terminal: Terminal, wanted: Wanted): Found {
  const named = wanted.url ?? given(terminal, 'EXEQUATUR_URL');
  const directories = dataDirectories(terminal, wanted);
  // INVARIANT: a key of a directory nobody named goes only to the daemon that left its address there.
  if (named !== undefined) {
    const isNamed = namedData(terminal, wanted) !== undefined;
    return { url: checkedUrl(named), data: isNamed ? directories[0] : undefined };
  }
  let stale: DaemonFile | undefined;
  for (const data of directories) {
    const file = readDaemonFile(join(data, DAEMON_FILE));
    if (file === undefined) continue;
    if (isRunning(file.pid)) return { url: checkedUrl(file.url), data };
    stale ??= file;
  }
  throw new CliError({
    exit: 6,
    code: stale === undefined ? 'daemon_not_found' : 'daemon_gone',
    message:
      stale === undefined
        ? `no daemon is running with its data in ${directories.map((data) => `\`${data}\``).join(' or ')}`
        : `the daemon that was here (process ${String(stale.pid)}, started ${stale.started}) is gone`,
    hint: START_HINT,
  });
}

/** The error of a daemon that is known but does not answer. */
export function notReachable(url: string, cause: unknown): CliError {
  return new CliError({
    exit: 6,
    code: 'daemon_not_reachable',
    message: `nothing answers at \`${url}\``,
    hint: START_HINT,
    cause,
  });
}

/** The key to use. `undefined` where none is needed and none was given. */
export function findKey(
  terminal: Terminal,
  wanted: Wanted,
  found: Found,
  sorts: readonly KeySort[],
): string | undefined {
  if (wanted.keyFile !== undefined) return checkedKey(readKey(wanted.keyFile), sorts);
  if (wanted.as !== undefined) return checkedKey(readKey(keyFileOf(found, wanted.as)), sorts);
  const key = given(terminal, 'EXEQUATUR_KEY');
  if (key !== undefined) return checkedKey(key.trim(), sorts);
  const operator = found.data === undefined ? undefined : join(found.data, OPERATOR_KEY_FILE);
  if (sorts.includes('operator') && operator !== undefined && existsSync(operator)) {
    return checkedKey(readKey(operator), sorts);
  }
  if (sorts.length === 0) return undefined;
  throw new CliError({
    exit: 7,
    code: 'key_missing',
    message: `this needs the key of ${whose(sorts)}, and none was given`,
    hint: 'give `--as NAME` for a key in the data directory, `--key-file FILE`, or EXEQUATUR_KEY',
  });
}

function keyFileOf({ data }: Found, name: string): string {
  if (!/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/u.test(name)) {
    const hint = 'names have 1 to 64 of a-z, 0-9, dot, underscore, hyphen';
    throw new CliError({ exit: 2, code: 'usage', message: `\`${name}\` is not a name`, hint });
  }
  if (data !== undefined) return join(data, 'keys', `${name}.key`);
  throw new CliError({
    exit: 2,
    code: 'usage',
    message: '`--as` needs to know the data directory',
    hint: 'give `--data DIRECTORY`, or `--key-file FILE`',
  });
}

function dataDirectories(terminal: Terminal, wanted: Wanted): readonly string[] {
  const named = namedData(terminal, wanted);
  const directories = named === undefined ? ['.exequatur', 'data'] : [named];
  return directories.map((directory) => resolve(terminal.directory, directory));
}

function namedData(terminal: Terminal, wanted: Wanted): string | undefined {
  return wanted.data ?? given(terminal, 'EXEQUATUR_DATA');
}

/** What the daemon left in a data directory, or `undefined` where there is nothing readable. */
export function readDaemonFile(path: string): DaemonFile | undefined {
  try {
    return daemonFile.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Missing, unreadable or half written: no daemon is known by it.
    return undefined;
  }
}

/** Whether a process of this id runs; one that belongs to somebody else does. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** A key goes over the wire in the clear only where the wire is this machine. */
function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new CliError({
      exit: 2,
      code: 'usage',
      message: `\`${text}\` is not an http or https address`,
      hint: 'write it like `http://localhost:7373`',
    });
  }
  const local = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/u.test(url.hostname);
  if (url.protocol === 'https:' || local) return url.origin;
  throw new CliError({
    exit: 1,
    code: 'url_not_safe',
    message: `\`${url.origin}\` would carry the key in the clear over a network`,
    hint: 'use https, or a tunnel to the machine that the layer runs on',
  });
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CliError({
      exit: 7,
      code: 'key_unreadable',
      message: `the key file \`${file}\` cannot be read`,
      hint: 'enrol with `exequatur agent add` or `exequatur person add`, and save the key it shows',
      cause: error,
    });
  }
}

function checkedKey(key: string, sorts: readonly KeySort[]): string {
  const sort = keySortOf(key);
  if (sort === undefined) {
    throw new CliError({
      exit: 7,
      code: 'key_malformed',
      message: 'what was given is not a key',
      hint: 'a key begins with `exq_agent_`, `exq_person_`, `exq_executor_` or `exq_operator_`',
    });
  }
  if (sorts.length === 0 || sorts.includes(sort)) return key;
  throw new CliError({
    exit: 7,
    code: 'wrong_key_sort',
    message: `this takes the key of ${whose(sorts)}, and the one given is of ${WHOSE[sort]}`,
    hint: 'choose another with `--as NAME` or `--key-file FILE`',
  });
}

const WHOSE: Readonly<Record<KeySort, string>> = {
  agent: 'an agent',
  person: 'a person',
  executor: 'an executor',
  operator: 'the operator',
};

function whose(sorts: readonly KeySort[]): string {
  return sorts.map((sort) => WHOSE[sort]).join(' or ');
}

function given(terminal: Terminal, name: string): string | undefined {
  const value = terminal.env[name];
  return value === undefined || value === '' ? undefined : value;
}
