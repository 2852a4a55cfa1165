/**
 * Signed notes (C2SP signed-note v1): a text with signatures under it, each by a named key. Checkpoints
 * are such notes; logs and witnesses sign them. Verifying needs WebCrypto alone, so that it runs in a
 * browser too.
 */
import { sha256 } from '../kernel/sha256.ts';
import { readBase64, writeBase64 } from './base64.ts';

/** What a signature is over: the note as it is (`log`), or with the time a witness saw it (`cosignature`). */
export type SignatureKind = 'log' | 'cosignature';

const TYPE_BYTES: Readonly<Record<SignatureKind, number>> = { log: 0x01, cosignature: 0x04 };
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const TIME_BYTES = 8;
/** Signatures of one note at most; a verifier has to accept sixteen. */
const SIGNATURES_MAX = 64;

/** A key that verifies: its name, what it signs, and the Ed25519 public key as 32 bytes. */
export interface VerifierKey {
  readonly name: string;
  readonly kind: SignatureKind;
  readonly publicKey: Uint8Array;
  /** The first four bytes of SHA-256(name ‖ "\n" ‖ type ‖ public key), as 8 hex digits. */
  readonly id: string;
}

/** One signature line. */
export interface NoteSignature {
  readonly name: string;
  /** As 8 hex digits. */
  readonly keyId: string;
  /** What follows the key id: 64 bytes, or 8 bytes of time and 64. */
  readonly bytes: Uint8Array;
}

/** A note taken apart; nothing about its signatures is known yet. */
export interface Note {
  /** With its last newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A text is no note, or no key. */
export class NoteError extends Error {
  override readonly name = 'NoteError';
}

/** The verifier key of a public key. Throws {@link NoteError} for a name that no key may have. */
export function verifierKey(name: string, kind: SignatureKind, publicKey: Uint8Array): VerifierKey {
  if (!KEY_NAME.test(name)) throw new NoteError('a key name is empty or holds a space or a plus');
  if (publicKey.length !== KEY_BYTES) throw new NoteError('a public key has 32 bytes');
  const digest = sha256(`${name}\n`, Uint8Array.of(TYPE_BYTES[kind]), publicKey);
  return { name, kind, publicKey, id: hex(digest.subarray(0, 4)) };
}

/** A verifier key as text: name, key id and base64 of type and key, joined by plus signs. */
export function writeVerifierKey({ name, kind, publicKey, id }: VerifierKey): string {
  return `${name}+${id}+${writeBase64(Uint8Array.of(TYPE_BYTES[kind], ...publicKey))}`;
}

/** Reads a verifier key. Throws {@link NoteError} for another type, a wrong key id or anything lax. */
export function readVerifierKey(text: string): VerifierKey {
  const [name = '', id = '', encoded = '', ...rest] = text.split('+');
  // Base64 has plus signs itself.
  const bytes = readBase64([encoded, ...rest].join('+'));
  const kind = KINDS.find((each) => TYPE_BYTES[each] === bytes?.[0]);
  if (bytes === undefined || kind === undefined) throw new NoteError('no ed25519 verifier key');
  const key = verifierKey(name, kind, bytes.slice(1));
  if (key.id !== id) throw new NoteError('the key id is not that of name and key');
  return key;
}

/** A note as text: its own text, an empty line, the signatures. */
export function writeNote({ text, signatures }: Note): string {
  const lines = signatures.map(
    ({ name, keyId, bytes }) =>
      `— ${name} ${writeBase64(Uint8Array.of(...unhex(keyId), ...bytes))}\n`,
  );
  return `${text}\n${lines.join('')}`;
}

/** Takes a note apart. Throws {@link NoteError} for anything that is not exactly one. */
export function readNote(note: string): Note {
  if (!note.isWellFormed() || CONTROL.test(note)) throw new NoteError('a note holds other bytes');
  const place = note.lastIndexOf('\n\n');
  if (place < 0 || !note.endsWith('\n')) throw new NoteError('a note has no signatures');
  const lines = note.slice(place + 2, -1).split('\n');
  if (lines.length > SIGNATURES_MAX) throw new NoteError('a note has too many signatures');
  return { text: note.slice(0, place + 1), signatures: lines.map(readSignature) };
}

/** What a key signs for a note; a cosignature's time is in seconds since 1970. */
export function signedBytes(text: string, kind: SignatureKind, time = 0n): Uint8Array {
  const signed = kind === 'log' ? text : `cosignature/v1\ntime ${String(time)}\n${text}`;
  return encoder.encode(signed);
}

/** How a note stands with one key. */
export type Standing =
  | { readonly kind: 'absent' }
  /** `time` is the second at which a witness saw it; absent for a log's signature. */
  | { readonly kind: 'valid'; readonly time?: number }
  /** A line claims this key and is not by it: the whole note is to be rejected. */
  | { readonly kind: 'forged' };

/** Whether the key signed the note. */
export async function verifyNote(note: Note, key: VerifierKey): Promise<Standing> {
  const lines = note.signatures.filter(({ name, keyId }) => name === key.name && keyId === key.id);
  if (lines.length === 0) return { kind: 'absent' };
  const times: (number | undefined)[] = [];
  for (const { bytes } of lines) {
    const time = timeOf(bytes, key.kind);
    const signature = bytes.subarray(key.kind === 'log' ? 0 : TIME_BYTES);
    const signed = signedBytes(note.text, key.kind, time);
    if (!(await verifyEd25519(key.publicKey, signature, signed))) return { kind: 'forged' };
    times.push(time === undefined ? undefined : Number(time));
  }
  const [first] = times;
  return first === undefined ? { kind: 'valid' } : { kind: 'valid', time: first };
}

/** Whether this is an Ed25519 signature (RFC 8032) by the key over exactly these bytes. */
export async function verifyEd25519(
  publicKey: Uint8Array,
  signature: Uint8Array,
  signed: Uint8Array,
): Promise<boolean> {
  if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  try {
    const key = await imported(publicKey);
    return await globalThis.crypto.subtle.verify(ED25519, key, owned(signature), owned(signed));
  } catch {
    // A point that is not on the curve is no key, and signs nothing.
    return false;
  }
}

/** WebCrypto's own form of a key, by whatever name this runtime has it. */
type ImportedKey = Awaited<ReturnType<typeof globalThis.crypto.subtle.importKey>>;

const ED25519 = { name: 'Ed25519' };
/** Keys that were read before, by their bytes: a log's key verifies many notes. */
const keys = new Map<string, ImportedKey>();
const KEYS_KEPT_MAX = 64;

async function imported(publicKey: Uint8Array): Promise<ImportedKey> {
  const name = hex(publicKey);
  const known = keys.get(name);
  if (known !== undefined) return known;
  const bytes = owned(publicKey);
  const key = await globalThis.crypto.subtle.importKey('raw', bytes, ED25519, false, ['verify']);
  if (keys.size >= KEYS_KEPT_MAX) keys.clear();
  keys.set(name, key);
  return key;
}

const KINDS: readonly SignatureKind[] = ['log', 'cosignature'];
const KEY_NAME = /^[^\p{White_Space}+]+$/u;
// Everything below a space but the newline.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\0-\t\v-\x1f]/u;
const SIGNATURE_LINE = /^— ([^\p{White_Space}+]+) ([A-Za-z0-9+/]+={0,2})$/u;
const encoder = new TextEncoder();

function readSignature(line: string): NoteSignature {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  const bytes = encoded === undefined ? undefined : readBase64(encoded);
  if (name === undefined || bytes === undefined || bytes.length < 5) {
    throw new NoteError('a signature line is malformed');
  }
  return { name, keyId: hex(bytes.subarray(0, 4)), bytes: bytes.slice(4) };
}

function timeOf(bytes: Uint8Array, kind: SignatureKind): bigint | undefined {
  if (kind === 'log' || bytes.length < TIME_BYTES) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../gu) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** WebCrypto takes bytes of their own buffer only. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
