/**
 * Whom a verifier trusts (C2SP tlog-policy): the keys of logs, the keys of witnesses, and how many of
 * the witnesses have to have seen a checkpoint. The file has no dates: a key is trusted as long as it
 * stands there.
 */
import { decodeUtf8 } from '../kernel/json/utf8.ts';
import { NoteError, readVerifierKey, type SignatureKind, type VerifierKey } from './note.ts';

/** Size of a policy file at most, in bytes. */
export const TRUST_POLICY_BYTES_MAX = 262_144;
/** Logs, witnesses and groups at most, of each. */
export const TRUST_POLICY_NAMES_MAX = 256;

/** A policy as read. */
export interface TrustPolicy {
  /** Several of one name are keys of one log, in rotation. */
  readonly logs: readonly VerifierKey[];
  readonly witnesses: readonly Witness[];
  readonly quorum: Quorum;
}

/** A witness under the name that the policy gives it. */
export interface Witness {
  readonly name: string;
  readonly key: VerifierKey;
}

/** Who has to have cosigned. */
export type Quorum =
  | { readonly kind: 'none' }
  | { readonly kind: 'witness'; readonly name: string }
  /** At least `count` of the members. */
  | { readonly kind: 'group'; readonly count: number; readonly members: readonly Quorum[] };

/** A policy file is not one; the message names the line. */
export class TrustPolicyError extends Error {
  override readonly name = 'TrustPolicyError';
  /** From 1; absent where the file as a whole is wrong. */
  readonly line: number | undefined;

  constructor(message: string, line?: number) {
    super(line === undefined ? message : `line ${String(line)}: ${message}`);
    this.line = line;
  }
}

/** Reads a policy file. Throws {@link TrustPolicyError} for anything that the format does not allow. */
export function readTrustPolicy(file: Uint8Array): TrustPolicy {
  if (file.length > TRUST_POLICY_BYTES_MAX) throw new TrustPolicyError('the file is too large');
  const decoded = decodeUtf8(file);
  if (!decoded.ok) throw new TrustPolicyError('the file is not utf-8');
  const { text } = decoded;
  if (text !== '' && !text.endsWith('\n')) {
    throw new TrustPolicyError('the last line does not end', text.split('\n').length);
  }
  const reading: Reading = {
    logs: [],
    witnesses: [],
    names: new Map(),
    members: new Set(),
    quorum: undefined,
  };
  for (const [index, line] of text.split('\n').entries()) {
    try {
      readLine(reading, line);
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      throw new TrustPolicyError(error.message, index + 1);
    }
  }
  const { logs, witnesses, quorum } = reading;
  if (quorum === undefined) throw new TrustPolicyError('there is no quorum line');
  return { logs, witnesses, quorum };
}

/** Whether the witnesses that cosigned, by their names in the policy, are enough. */
export function isQuorum(quorum: Quorum, cosigned: ReadonlySet<string>): boolean {
  switch (quorum.kind) {
    case 'none':
      return true;
    case 'witness':
      return cosigned.has(quorum.name);
    case 'group':
      return quorum.members.filter((member) => isQuorum(member, cosigned)).length >= quorum.count;
    default:
      return quorum satisfies never;
  }
}

interface Reading {
  readonly logs: VerifierKey[];
  readonly witnesses: Witness[];
  /** Witnesses and groups share their names. */
  readonly names: Map<string, Quorum>;
  /** The names that are members of a group. */
  readonly members: Set<string>;
  quorum: Quorum | undefined;
}

// Everything below a space but tab and newline, and the one above tilde.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/u;
const COUNT = /^[1-9]\d{0,3}$/u;

function readLine(reading: Reading, line: string): void {
  if (CONTROL.test(line)) throw new NoteError('a control character');
  const [keyword, ...words] = line.split(/[ \t]+/u).filter((word) => word !== '');
  if (keyword === undefined || keyword.startsWith('#')) return;
  switch (keyword) {
    case 'log':
      return readLog(reading, words);
    case 'witness':
      return readWitness(reading, words);
    case 'group':
      return readGroup(reading, words);
    case 'quorum':
      return readQuorum(reading, words);
    default:
      throw new NoteError(`\`${keyword}\` is not log, witness, group or quorum`);
  }
}

function readLog({ logs }: Reading, words: readonly string[]): void {
  const [text = '', , ...rest] = words;
  if (text === '' || rest.length > 0) throw new NoteError('a log line is `log VKEY [URL]`');
  if (logs.length >= TRUST_POLICY_NAMES_MAX) throw new NoteError('too many logs');
  const key = keyOf(text, 'log');
  if (logs.some((other) => sameKey(other, key))) throw new NoteError('the key stands twice');
  logs.push(key);
}

function readWitness(reading: Reading, words: readonly string[]): void {
  const { witnesses } = reading;
  const [name = '', text = '', , ...rest] = words;
  if (text === '' || rest.length > 0) {
    throw new NoteError('a witness line is `witness NAME VKEY [URL]`');
  }
  if (witnesses.length >= TRUST_POLICY_NAMES_MAX) throw new NoteError('too many witnesses');
  const key = keyOf(text, 'cosignature');
  if (witnesses.some((other) => sameKey(other.key, key))) {
    throw new NoteError('the key stands twice');
  }
  define(reading, name, { kind: 'witness', name });
  witnesses.push({ name, key });
}

function readGroup(reading: Reading, words: readonly string[]): void {
  const [name = '', threshold = '', ...names] = words;
  if (names.length === 0) throw new NoteError('a group line is `group NAME all|any|K NAME...`');
  const members = names.map((member) => joined(reading, member));
  const count = countOf(threshold, members.length);
  if (count > members.length) throw new NoteError('a group asks for more than its members');
  define(reading, name, { kind: 'group', count, members });
}

function readQuorum(reading: Reading, words: readonly string[]): void {
  const [name, ...rest] = words;
  if (name === undefined || rest.length > 0) throw new NoteError('a quorum line is `quorum NAME`');
  if (reading.quorum !== undefined) throw new NoteError('there are two quorum lines');
  reading.quorum = name === 'none' ? { kind: 'none' } : named(reading, name);
}

function define({ names }: Reading, name: string, quorum: Quorum): void {
  if (name === 'none') throw new NoteError('`none` is no name of a witness or group');
  if (names.has(name)) throw new NoteError(`\`${name}\` is defined twice`);
  if (names.size >= 2 * TRUST_POLICY_NAMES_MAX) throw new NoteError('too many groups');
  names.set(name, quorum);
}

/** A name is a member of one group at most, so that no witness counts twice. */
function joined(reading: Reading, name: string): Quorum {
  const quorum = named(reading, name);
  if (reading.members.has(name)) throw new NoteError(`\`${name}\` is a member already`);
  reading.members.add(name);
  return quorum;
}

function named({ names }: Reading, name: string): Quorum {
  const quorum = names.get(name);
  if (quorum === undefined) throw new NoteError(`\`${name}\` is not defined above`);
  return quorum;
}

function countOf(threshold: string, members: number): number {
  if (threshold === 'all') return members;
  if (threshold === 'any') return 1;
  if (!COUNT.test(threshold)) throw new NoteError('a group asks for `all`, `any` or a number');
  return Number(threshold);
}

function keyOf(text: string, kind: SignatureKind): VerifierKey {
  const key = readVerifierKey(text);
  if (key.kind !== kind) throw new NoteError(`the key is of the wrong type for a ${kind}`);
  return key;
}

function sameKey({ publicKey: left }: VerifierKey, { publicKey: right }: VerifierKey): boolean {
  return left.every((byte, index) => byte === right[index]);
}
