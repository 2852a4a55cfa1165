/** Asks a machine who it is: a JSON document on it, read through links. */
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { constants } from 'node:fs';

import type { Target } from '../../kernel/inventory.ts';
import type { JsonObject } from '../../kernel/json/value.ts';
import { parseAnswer } from '../answer.ts';
import type { Masker } from '../mask.ts';
import { readProbe } from '../pointer.ts';
import { ExecutorRefusal, refuse } from '../refusal.ts';

/** The largest probe document, in bytes. */
const PROBE_BYTES_MAX = 1_048_576;

/** What a probe found; without a probe the inventory's word is all there is. */
export interface FileProbed {
  readonly identity: string | null;
  readonly environment: string;
  readonly recorded: JsonObject;
}

/** Reads the target's probe document. Where its links lead is recorded beside what it says. */
export async function probeFile(
  target: Target,
  masker: Masker,
  signal: AbortSignal,
): Promise<FileProbed> {
  const { probe } = target;
  if (probe === undefined) {
    return { identity: null, environment: target.environment, recorded: {} };
  }
  if (probe.kind !== 'file') {
    return refuse('probe_unsupported', `target \`${target.name}\` is probed by a file only`);
  }
  if (signal.aborted) refuse('cancelled', 'cancelled before the probe');
  const { bytes, real } = await readDocument(probe.path);
  const answer = parseAnswer(bytes, masker);
  if (answer === undefined) {
    return refuse('probe_failed', `probe document \`${probe.path}\` is no strict json`);
  }
  const { identity, environment } = readProbe(probe, answer, target.environment);
  return { identity, environment, recorded: { probe: real } };
}

async function readDocument(
  path: string,
): Promise<{ readonly bytes: Uint8Array; readonly real: string }> {
  let file: FileHandle | undefined;
  try {
    // The link is followed once, and what it led to is what is read.
    const real = await realpath(path);
    file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const status = await file.stat();
    if (!status.isFile() || status.size > PROBE_BYTES_MAX) {
      refuse('probe_failed', `probe document \`${path}\` is no file of a sensible size`);
    }
    const buffer = Buffer.alloc(PROBE_BYTES_MAX);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return { bytes: buffer.subarray(0, bytesRead), real };
  } catch (error) {
    if (error instanceof ExecutorRefusal) throw error;
    return refuse('probe_failed', `probe document \`${path}\` cannot be read`);
  } finally {
    await file?.close();
  }
}
