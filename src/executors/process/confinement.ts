/**
 * What stands between a program and the layer that starts it: another user of this machine, or a
 * sandbox by `bwrap`. Found out when the effect is prepared; what cannot be had refuses the effect, and
 * nothing runs with more rights than the inventory says.
 */
import { access, constants, readFile } from 'node:fs/promises';

import type { ProcessIsolation } from '../../kernel/inventory.ts';
import { refuse } from '../refusal.ts';
import { executables, type ProcessBinding } from './compile.ts';

/** Whose rights a program has, and the words before its own. */
export interface Confinement {
  readonly user?: UserIds;
  /** Empty where there is no sandbox. */
  readonly wrapper: readonly string[];
}

/** A user's number and the number of its own group. */
export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/** The layer's own rights. */
export const NOT_CONFINED: Confinement = { wrapper: [] };

/** What is known of this machine; the machine itself if absent. */
export interface Machine {
  readonly passwdFile: string;
  readonly sandboxPrograms: readonly string[];
  readonly uid: number | undefined;
}

const THIS_MACHINE: Machine = {
  passwdFile: '/etc/passwd',
  sandboxPrograms: ['/usr/bin/bwrap', '/usr/local/bin/bwrap', '/bin/bwrap'],
  uid: process.getuid?.(),
};

/** Refuses with `user_unknown`, `user_not_separate`, `user_switch_refused` or `sandbox_missing`. */
export async function confine(
  binding: ProcessBinding,
  machine: Machine = THIS_MACHINE,
): Promise<Confinement> {
  const { isolation } = binding.target;
  // Without a word about it the layer is in development mode: `serve` refuses such a target at load.
  if (isolation === undefined) return NOT_CONFINED;
  switch (isolation.kind) {
    case 'same-as-layer':
      return NOT_CONFINED;
    case 'user':
      return { user: await userOf(isolation.name, machine), wrapper: [] };
    case 'bwrap': {
      const program = await firstExecutable(machine.sandboxPrograms);
      if (program === undefined) return refuse('sandbox_missing', '`bwrap` is not installed');
      return { wrapper: sandboxWords(program, isolation, binding) };
    }
    default:
      return isolation satisfies never;
  }
}

// ---------------------------------------------------------------- another user

async function userOf(name: string, { passwdFile, uid: own }: Machine): Promise<UserIds> {
  const found = parsePasswd(await readFile(passwdFile, 'utf8').catch(() => '')).get(name);
  if (found === undefined) return refuse('user_unknown', `there is no user \`${name}\``);
  if (found.uid === 0 || found.uid === own) {
    return refuse('user_not_separate', `user \`${name}\` is root or the layer's own`);
  }
  if (own !== 0) return refuse('user_switch_refused', `only root can become user \`${name}\``);
  return found;
}

/**
 * Users by name, as `passwd(5)` writes them. The first of two lines with one name counts, as it does
 * for the system; a line that is none is nobody.
 */
export function parsePasswd(text: string): ReadonlyMap<string, UserIds> {
  const users = new Map<string, UserIds>();
  for (const line of text.split('\n')) {
    const [name = '', , uid = '', gid = '', ...more] = line.split(':');
    const isUser = more.length === 3 && [uid, gid].every((id) => /^\d{1,10}$/u.test(id));
    if (isUser && name !== '' && !users.has(name)) {
      users.set(name, { uid: Number(uid), gid: Number(gid) });
    }
  }
  return users;
}

// ---------------------------------------------------------------- a sandbox

async function firstExecutable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

/** Where the system keeps programs and what they are linked with. */
const SYSTEM_PATHS = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/etc/alternatives',
  '/etc/ld.so.cache',
];

/**
 * The words before a program's own: new namespaces for everything, no capabilities, an empty `/tmp`,
 * and of the file system what the system's programs need, the working directory, the pinned files and
 * what the target declares, all of it read-only but what is declared writable.
 */
export function sandboxWords(
  program: string,
  sandbox: Extract<ProcessIsolation, { readonly kind: 'bwrap' }>,
  { target, operation }: ProcessBinding,
): readonly string[] {
  const { directory } = target;
  return [
    program,
    '--unshare-all',
    ...(sandbox.network ? ['--share-net'] : []),
    // The sandbox and everything in it ends with the layer's own hold on it.
    '--die-with-parent',
    '--cap-drop',
    'ALL',
    ...bind('--ro-bind-try', SYSTEM_PATHS),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--tmpfs',
    '/tmp',
    ...(sandbox.network ? bind('--ro-bind-try', NETWORK_FILES) : []),
    ...bind('--ro-bind', [directory]),
    ...bind('--ro-bind', sandbox.readOnly),
    ...bind('--bind', sandbox.writable),
    // Last, so that nothing writable covers what was pinned.
    ...bind('--ro-bind', [...new Set([...executables(operation), ...operation.files])]),
    '--chdir',
    directory,
    '--json-status-fd',
    '3',
    '--',
  ];
}

/** The same confinement, in which these files are seen too, and cannot be written to. */
export function showing(confinement: Confinement, files: readonly string[]): Confinement {
  const { wrapper } = confinement;
  if (wrapper.length === 0 || files.length === 0) return confinement;
  // The last word ends the options of the sandbox.
  return {
    ...confinement,
    wrapper: [...wrapper.slice(0, -1), ...bind('--ro-bind', files), ...wrapper.slice(-1)],
  };
}

function bind(how: string, paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => [how, path, path]);
}

/** How names are resolved and certificates found. */
const NETWORK_FILES = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/ssl'];
