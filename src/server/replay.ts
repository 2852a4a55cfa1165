/**
 * `replay`: recorded decisions are made again from a database's file alone, which nobody runs. A layer
 * that runs is not asked: its one thread is the one on which actions cross, and a copy of its file says
 * the same.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DifferenceTold, Refused, Replayed, ReplayOptions } from '../cli/server-door.ts';
import { StoreError } from '../engine/ports.ts';
import {
  DecisionReader,
  differenceOf,
  type Broken,
  type DecisionRead,
  type Difference,
  type ReadDecision,
} from '../engine/replaying.ts';
import type { ActionId } from '../kernel/id.ts';
import type { JsonValue } from '../kernel/json/value.ts';
import { writeCanonical } from '../kernel/json/write.ts';
import { DATABASE_FILE } from '../stores/sqlite/files.ts';
import { openReader, type StoreReader } from '../stores/sqlite/reader.ts';
import { epochOf } from './loading.ts';

/** How often it is told how far it came. */
export const PROGRESS_DECISIONS = 10_000;

/** Makes decisions again and compares them with the ledger. */
export async function replay(options: ReplayOptions): Promise<Replayed | Refused> {
  const opened = openRecorded(options);
  if (opened.kind === 'refused') return opened;
  const counts = { decisions: 0, same: 0, erased: 0, different: 0, broken: 0 };
  let first: DifferenceTold | undefined;
  try {
    for await (const read of decisionsOf(opened)) {
      counts.decisions += 1;
      if (counts.decisions % PROGRESS_DECISIONS === 0) options.progress(counts.decisions);
      if (read.kind === 'erased') counts.erased += 1;
      else if (read.kind === 'broken') {
        counts.broken += 1;
        first ??= toldBroken(read);
      } else {
        const difference = differenceOf(read.decision);
        counts[difference === undefined ? 'same' : 'different'] += 1;
        if (difference !== undefined) first ??= toldDifference(read.decision, difference);
      }
    }
  } finally {
    opened.reader.close();
  }
  const found = first === undefined ? {} : { first };
  return { kind: 'replayed', store: opened.path, ...counts, ...found };
}

// ---------------------------------------------------------------- the store

/** A store to read decisions of. */
export interface Opened {
  readonly kind: 'opened';
  readonly path: string;
  readonly reader: StoreReader;
  /** `undefined`: all of them. */
  readonly action: ActionId | undefined;
}

/** Opens the store that is named, and finds the action; or says why not. */
export function openRecorded(options: ReplayOptions): Opened | Refused {
  const { from, backup, data } = options;
  const path = resolve(from, backup ?? join(data ?? usualData(from), DATABASE_FILE));
  let reader: StoreReader;
  try {
    if (!existsSync(path)) return refused('store_missing', `there is no store \`${path}\``, HERE);
    reader = openReader(path);
  } catch (error) {
    if (error instanceof StoreError) return refused(error.code, error.message, HINTS[error.code]);
    return refused('file_unreadable', `\`${path}\` cannot be read as a database`, HERE);
  }
  const action = options.action === undefined ? undefined : oneAction(reader, options.action);
  if (typeof action !== 'object') return { kind: 'opened', path, reader, action };
  reader.close();
  return action;
}

/** Where the other commands look as well. */
function usualData(from: string): string {
  const places = ['.exequatur', 'data'];
  return places.find((place) => existsSync(resolve(from, place, DATABASE_FILE))) ?? 'data';
}

const HERE = 'name a data directory with `--data`, or a backup with `--backup`';

const HINTS: Readonly<Partial<Record<StoreError['code'], string>>> = {
  store_locked:
    'a layer runs on it: `exequatur backup` makes a copy while it goes on; give that with `--backup`',
  store_newer: 'replay it with the version that wrote it, or a newer one',
  store_older: 'start this version on it once, or restore the backup with it, and replay that',
};

function oneAction(reader: StoreReader, given: string): ActionId | Refused {
  const digits = given.toLowerCase().replaceAll('-', '');
  if (!/^[0-9a-f]{4,32}$/u.test(digits)) {
    return refused('action_unknown', `\`${given}\` is no id of an action`);
  }
  const [only, another] = reader.beginning(digits, 2);
  if (only === undefined) return refused('action_unknown', `no action begins with \`${given}\``);
  if (another === undefined) return only;
  return refused('action_ambiguous', `\`${given}\` begins several ids`, 'give more of it');
}

/** The decisions asked for, tenant by tenant. */
export async function* decisionsOf({ reader, action }: Opened): AsyncGenerator<DecisionRead> {
  for (const tenant of reader.tenants()) {
    const decisions = new DecisionReader({
      source: reader,
      tenant,
      compile: (sources) => epochOf(sources).epoch?.policy,
    });
    yield* action === undefined ? decisions.all() : decisions.about(action);
  }
}

function refused(code: string, message: string, hint?: string): Refused {
  return { kind: 'refused', code, message, ...(hint === undefined ? {} : { hint }) };
}

// ---------------------------------------------------------------- telling

function toldBroken({ sequence, id, code, message }: Broken): DifferenceTold {
  return { code, sequence, ...(id === undefined ? {} : { id }), message };
}

function toldDifference({ id, sequence }: ReadDecision, found: Difference): DifferenceTold {
  const [was, is] = [textOf(found.was), textOf(found.is)];
  return {
    code: 'decision_differs',
    id,
    sequence,
    message: `\`${found.part}\` is another`,
    ...(was === undefined ? {} : { was }),
    ...(is === undefined ? {} : { is }),
  };
}

function textOf(value: JsonValue | undefined): string | undefined {
  return value === undefined ? undefined : writeCanonical(value);
}
