/**
 * Credentials by reference. A value is read anew at each lease, is registered with the masker before
 * anything can use it, and is let go when the lease ends; it is never part of an action, a resolution
 * or a digest.
 */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { isAbsolute } from 'node:path';

import type { Clock } from '../engine/ports.ts';
import type { CredentialReference } from '../kernel/inventory.ts';
import { runCredentialCommand } from './credential-command.ts';
import { SECRET_LENGTH_MIN, type Masker } from './mask.ts';
import { ExecutorRefusal, refuse } from './refusal.ts';

/** The largest credential, in bytes. */
export const CREDENTIAL_BYTES_MAX = 65_536;

/** What variables a process sees; `process.env` has this shape. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where credentials come from, and who must know them first. */
export interface CredentialSource {
  readonly environment: Environment;
  readonly masker: Masker;
  /** Ends a program that prints a credential and takes too long. */
  readonly clock: Clock;
}

/** A credential for a while. Printing a lease shows its reference, never its value. */
export class Lease {
  /** The reference it came from, which is no secret. */
  readonly reference: CredentialReference;
  /** Something an operator should mend: everybody on the machine can read the file. */
  readonly warning: 'credential_world_readable' | undefined;
  #value: string | undefined;

  constructor(reference: CredentialReference, value: string, worldReadable: boolean) {
    this.reference = reference;
    this.warning = worldReadable ? 'credential_world_readable' : undefined;
    this.#value = value;
  }

  /** The secret; throws once the lease is released. */
  get value(): string {
    if (this.#value === undefined) throw new Error(`the lease of \`${this.reference}\` is over`);
    return this.#value;
  }

  /** Ends the lease; safe to call twice. */
  release(): void {
    this.#value = undefined;
  }
}

/**
 * Reads `env:NAME`, `file:/absolute/path` or what `exec:/absolute/path` prints. One newline at the end is not part of the value. Refuses
 * with the `credential_…` codes: a file that anybody may write is nobody's secret.
 */
export async function leaseCredential(
  reference: CredentialReference,
  source: CredentialSource,
): Promise<Lease> {
  const read = await readReference(reference, source);
  const text = decode(reference, read.bytes).replace(/\r?\n$/u, '');
  if (text === '') refuse('credential_empty', `credential \`${reference}\` is empty`);
  if (text.length < SECRET_LENGTH_MIN) {
    refuse('credential_too_short', `credential \`${reference}\` is too short to be masked`);
  }
  source.masker.register(text);
  return new Lease(reference, text, read.worldReadable);
}

interface ReadCredential {
  readonly bytes: Uint8Array;
  readonly worldReadable: boolean;
}

async function readReference(
  reference: CredentialReference,
  { environment, clock }: CredentialSource,
): Promise<ReadCredential> {
  if (reference.startsWith('exec:')) {
    const bytes = await runCredentialCommand(reference, { clock, bytesMax: CREDENTIAL_BYTES_MAX });
    return { bytes, worldReadable: false };
  }
  if (reference.startsWith('env:')) {
    const name = reference.slice('env:'.length);
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value === undefined) {
      refuse('credential_missing', `environment variable \`${name}\` is not set`);
    }
    const bytes = Buffer.from(value, 'utf8');
    if (bytes.length > CREDENTIAL_BYTES_MAX) tooLarge(reference);
    return { bytes, worldReadable: false };
  }
  const path = reference.startsWith('file:') ? reference.slice('file:'.length) : '';
  if (!isAbsolute(path) || path.includes('\0')) {
    const message = 'a credential is `env:NAME`, `file:/absolute/path` or `exec:/absolute/path`';
    refuse('credential_reference_invalid', message);
  }
  return await readFileReference(reference, path);
}

async function readFileReference(reference: string, path: string): Promise<ReadCredential> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK a named pipe in the file's place would hold the lease for ever.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = await file.stat();
    if (!status.isFile()) {
      refuse('credential_unreadable', `credential \`${reference}\` is not a regular file`);
    }
    if ((status.mode & 0o002) !== 0) {
      refuse('credential_world_writable', `anybody may write credential \`${reference}\``);
    }
    // One byte more than is allowed tells whether there is more, whatever the size says.
    const buffer = Buffer.alloc(CREDENTIAL_BYTES_MAX + 1);
    const length = await readFully(file, buffer);
    if (length > CREDENTIAL_BYTES_MAX) tooLarge(reference);
    return { bytes: buffer.subarray(0, length), worldReadable: (status.mode & 0o004) !== 0 };
  } catch (error) {
    if (error instanceof ExecutorRefusal) throw error;
    return refuse('credential_unreadable', `credential \`${reference}\` cannot be read`);
  } finally {
    await file?.close();
  }
}

async function readFully(file: FileHandle, buffer: Buffer): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

function decode(reference: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // The decoder's error says only what the code says.
    return refuse('credential_not_text', `credential \`${reference}\` is not utf-8 text`);
  }
}

function tooLarge(reference: string): never {
  const limit = String(CREDENTIAL_BYTES_MAX);
  return refuse('credential_too_large', `credential \`${reference}\` has over ${limit} bytes`);
}
