/**
 * `doctor`: looks at everything outside the layer that its promises rest on, changes nothing, and says
 * at the end what nobody can look at from here.
 */
import { readdirSync, statfsSync, statSync, type Stats } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DoctorOptions, Examined } from '../cli/server-door.ts';
import { DAEMON_FILE, OPERATOR_KEY_FILE } from '../cli/find-daemon.ts';
import { StoreError } from '../engine/ports.ts';
import { formatInstant, instantOf } from '../kernel/instant.ts';
import { sameUserTargets } from '../kernel/inventory.ts';
import { DATABASE_FILE } from '../stores/sqlite/files.ts';
import { requireVersion, SQLITE_VERSION_MIN } from '../stores/sqlite/open-database.ts';
import { CLOCK_BACK_MS_MAX } from '../stores/sqlite/store-clock.ts';
import { peekStore } from '../stores/sqlite/peek.ts';
import { inventoryProbe } from './checks.ts';
import { readConfiguration, type ServerConfiguration } from './configuration.ts';
import { isolationProblems } from './isolation.ts';
import { loadEpoch } from './loading.ts';
import { documentProblem } from './problems.ts';
import { SYSTEM_CLOCK } from './system.ts';

/** Free bytes below which the disk is a worry, and below which it is a fault. */
export const DISK_BYTES_NOTE = 1_073_741_824;
export const DISK_BYTES_MIN = 134_217_728;

const OTHERS_MAY_WRITE = 0o022;
const OTHERS_MAY_READ = 0o044;
/** Any right of others, and more than reading for the group. */
const OTHERS_THAN_GROUP = 0o037;

/** Everything that was looked at, in the order a reader wants it. */
export async function doctor(options: DoctorOptions): Promise<readonly Examined[]> {
  const config = resolve(options.from, options.config);
  const { configuration, problems } = await readConfiguration(config);
  const found: Examined[] = [sqlite(process.versions['sqlite'] ?? '0')];
  if (configuration === undefined) {
    const told = problems.map((problem) => documentProblem(problem, options.from));
    return [...found, ...told.map(ofProblem), ...NOT_COVERED];
  }
  const data =
    options.data === undefined ? configuration.data : resolve(options.from, options.data);
  found.push(...(await files(configuration, options.from)));
  found.push(
    ...permissions(data, configuration.ledger?.keys),
    isolation(configuration),
    disk(data),
    store(data),
  );
  found.push(...(await systems(configuration, options.from)));
  return [...found, ...NOT_COVERED];
}

function ofProblem(problem: ReturnType<typeof documentProblem>): Examined {
  const { code, severity, file, line, column, message, hint } = problem;
  return {
    mark: severity === 'error' ? 'bad' : 'note',
    code,
    message: `${file}:${String(line)}:${String(column)}: ${message}`,
    ...(hint === undefined ? {} : { hint }),
  };
}

async function files(configuration: ServerConfiguration, from: string): Promise<Examined[]> {
  const { epoch, problems } = await loadEpoch(configuration);
  const told = problems.map((problem) => ofProblem(documentProblem(problem, from)));
  if (epoch === undefined) return told;
  const rules = epoch.policy.rules.length;
  const targets = epoch.policy.inventory.targets.size;
  const message = `configuration, inventory and policy load: ${String(targets)} targets, ${String(rules)} rules`;
  const silent = isolationProblems(epoch, configuration.inventory).map((problem) =>
    ofProblem(documentProblem(problem, from)),
  );
  return [
    { mark: 'good', code: 'configuration', message },
    ...told,
    ...silent,
    ...sameUserTargets(epoch.policy.inventory).map(sameUser),
  ];
}

function sameUser(target: string): Examined {
  return {
    mark: 'note',
    code: 'same_as_layer',
    message: `programs of target \`${target}\` run as the layer's own user: they can read its keys and store`,
    hint: 'give them a `user:` of their own, or `sandbox: bwrap`',
  };
}

/** Refuses nothing, unlike an opening: it only says what an opening would do. */
function sqlite(version: string): Examined {
  const message = `Node.js ${process.version} with SQLite ${version}`;
  try {
    requireVersion(version);
    return { mark: 'good', code: 'sqlite_version', message };
  } catch {
    const hint = `SQLite ${SQLITE_VERSION_MIN} or later is needed: use Node.js 24.15 or later`;
    return { mark: 'bad', code: 'sqlite_version', message, hint };
  }
}

function permissions(data: string, keys: string | undefined): readonly Examined[] {
  const directory = statSync(data, { throwIfNoEntry: false });
  if (directory === undefined) {
    const message = `\`${data}\` is not there yet`;
    const hint = 'the first start makes it, readable by its owner only';
    return [{ mark: 'note', code: 'data_missing', message, hint }];
  }
  const faults = [
    ...(exposed(directory, OTHERS_MAY_WRITE) ? [faultOf(data, '700')] : []),
    ...blobFaults(join(data, 'blobs')),
    ...signingKeyFaults(keys),
    ...privateFiles(data).flatMap(({ path, stats }) =>
      exposed(stats, OTHERS_MAY_WRITE | OTHERS_MAY_READ) ? [faultOf(path, '600')] : [],
    ),
  ];
  if (faults.length > 0) return faults;
  const message = `only their owner may read the keys, the store and the blobs in \`${data}\``;
  return [{ mark: 'good', code: 'permissions', message }];
}

/** Nobody but the layer looks into the directory of blobs, so the files in it need no look of their own. */
function blobFaults(directory: string): readonly Examined[] {
  const stats = statSync(directory, { throwIfNoEntry: false });
  if (stats === undefined || !exposed(stats, OTHERS_MAY_WRITE | OTHERS_MAY_READ)) return [];
  return [faultOf(directory, '700')];
}

/** Keys that lie elsewhere may be mounted secrets, which their group often reads. */
function signingKeyFaults(directory: string | undefined): readonly Examined[] {
  const isThere = directory !== undefined && statSync(directory, { throwIfNoEntry: false });
  if (!isThere) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith('.pem') || name.endsWith('.retired'))
    .map((name) => join(directory, name))
    .filter((path) => exposed(statSync(path), OTHERS_THAN_GROUP))
    .map((path) => faultOf(path, '600'));
}

/** Windows has other rights than these; there the mode says nothing. */
function exposed(stats: Stats, bits: number): boolean {
  return process.platform !== 'win32' && (stats.mode & bits) !== 0;
}

function faultOf(path: string, mode: string): Examined {
  return {
    mark: 'bad',
    code: 'permissions',
    message: `others may read or write \`${path}\``,
    hint: `chmod ${mode} '${path}'; if it is a key that somebody may have read, make a new one`,
  };
}

function privateFiles(data: string): readonly { readonly path: string; readonly stats: Stats }[] {
  const keys = join(data, 'keys');
  const named = statSync(keys, { throwIfNoEntry: false })?.isDirectory() === true;
  return [
    join(data, OPERATOR_KEY_FILE),
    join(data, DATABASE_FILE),
    join(data, `${DATABASE_FILE}-wal`),
    ...(named ? readdirSync(keys).map((name) => join(keys, name)) : []),
  ].flatMap((path) => {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? [] : [{ path, stats }];
  });
}

function isolation(configuration: ServerConfiguration): Examined {
  if (configuration.isolation === 'none') {
    return {
      mark: 'note',
      code: 'isolation_none',
      message: 'isolation: none: whoever runs as the same user can go around the layer',
      hint: 'run it as a user of its own, or on a host of its own, and say so with `isolation:`',
    };
  }
  const user = process.getuid?.();
  if (user === 0) {
    return {
      mark: 'note',
      code: 'runs_as_root',
      message: `isolation: ${configuration.isolation}, and this is root`,
      hint: 'run `doctor` and the layer as the user that is theirs alone',
    };
  }
  const message = `isolation: ${configuration.isolation}, by the operator's word`;
  const hint =
    'agents must not run as this user: run `exequatur doctor` as theirs, and see that it fails';
  return { mark: 'good', code: 'isolation', message, hint };
}

function disk(data: string): Examined {
  const there = statSync(data, { throwIfNoEntry: false }) === undefined ? '.' : data;
  const { bavail, bsize } = statfsSync(there);
  return diskOf(bavail * bsize);
}

/** What so many free bytes mean. */
export function diskOf(free: number): Examined {
  const message = `${(free / 1_073_741_824).toFixed(1)} GiB free for the store`;
  if (free >= DISK_BYTES_NOTE) return { mark: 'good', code: 'disk', message };
  const mark = free < DISK_BYTES_MIN ? 'bad' : 'note';
  return {
    mark,
    code: 'disk',
    message,
    hint: 'a full disk stops every crossing: make room',
  };
}

/** A store that a daemon owns cannot be opened, and need not: the daemon holds its clock all the time. */
function store(data: string): Examined {
  if (statSync(join(data, DATABASE_FILE), { throwIfNoEntry: false }) === undefined) {
    return { mark: 'note', code: 'store_missing', message: 'there is no store yet' };
  }
  try {
    const { mark } = peekStore(data);
    return clockOf(mark, SYSTEM_CLOCK.now());
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code !== 'store_locked') {
      return { mark: 'bad', code: error.code, message: error.message };
    }
    const hint = `see ${join(data, DAEMON_FILE)} and \`exequatur status\``;
    return { mark: 'good', code: 'store_in_use', message: error.message, hint };
  }
}

/** The clock against the latest instant that the store has given out. */
export function clockOf(mark: number, now: number): Examined {
  const message = `the clock says ${formatInstant(instantOf(now))}; the store knows ${formatInstant(instantOf(mark))}`;
  if (now >= mark - CLOCK_BACK_MS_MAX) return { mark: 'good', code: 'clock', message };
  const hint = 'the clock was set back, or once ran ahead: nothing crosses until it is right';
  return { mark: 'bad', code: 'clock', message, hint };
}

async function systems(configuration: ServerConfiguration, from: string): Promise<Examined[]> {
  const probed = await inventoryProbe({ config: configuration.file, write: false });
  const moved = probed.changes.some(({ sign }) => sign !== ' ');
  const failed = probed.failures.map(({ target, message }): Examined => ({
    mark: 'bad',
    code: 'probe_failed',
    message: `${target}: ${message}`,
    hint: 'nothing crosses to a system that cannot be asked who it is',
  }));
  if (failed.length > 0) return failed;
  if (!moved)
    return [
      { mark: 'good', code: 'probes', message: 'every system that has a probe says who it is' },
    ];
  return [
    {
      mark: 'note',
      code: 'lock_moved',
      message: `systems say something else than \`${resolve(from, probed.lockFile)}\` has, or stand in no lock file`,
      hint: 'review it with `exequatur inventory probe`, and write it with `--write`',
    },
  ];
}

/** What no program on this machine can find out. */
const NOT_COVERED: readonly Examined[] = [
  {
    mark: 'note',
    code: 'not_covered',
    message: 'not looked at: whether an agent has credentials of its own for these systems',
    hint: 'whoever has them can go around the layer: change every credential that an agent ever held',
  },
  {
    mark: 'note',
    code: 'not_covered',
    message: 'not looked at: whether the disk keeps what it says it has written',
    hint: 'a disk that does not can lose consumed approvals at a power cut',
  },
  {
    mark: 'note',
    code: 'not_covered',
    message: 'not looked at: whether backups of the store, and checkpoints, are kept elsewhere',
  },
];
