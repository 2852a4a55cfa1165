/** A log as a layer keeps it, with keys of its own: what it signs is real. */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { writeCheckpoint } from '../../src/ledger/checkpoint.ts';
import type { LedgerDraft } from '../../src/ledger/entry.ts';
import { composeExport } from '../../src/ledger/export.ts';
import {
  Frontier,
  inclusionProof,
  leafHash,
  type Hash,
  type Nodes,
} from '../../src/ledger/merkle.ts';
import {
  signedBytes,
  verifierKey,
  writeNote,
  writeVerifierKey,
  type NoteSignature,
  type SignatureKind,
  type VerifierKey,
} from '../../src/ledger/note.ts';
import { composeReceipt } from '../../src/ledger/receipt.ts';

const encoder = new TextEncoder();

/** A key that signs, with the one that verifies. */
export interface SigningKey extends VerifierKey {
  readonly secret: KeyObject;
}

/** A fresh key. */
export function signingKey(name: string, kind: SignatureKind = 'log'): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return { ...verifierKey(name, kind, new Uint8Array(raw)), secret: privateKey };
}

/** An Ed25519 signature. */
export function signWith({ secret }: SigningKey, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, bytes, secret));
}

/** One signature line of a note; a witness saw it at this second. */
export function noteSignature(key: SigningKey, text: string, second = 0n): NoteSignature {
  const signature = signWith(key, signedBytes(text, key.kind, second));
  if (key.kind === 'log') return { name: key.name, keyId: key.id, bytes: signature };
  const bytes = new Uint8Array(8 + signature.length);
  new DataView(bytes.buffer).setBigUint64(0, second);
  bytes.set(signature, 8);
  return { name: key.name, keyId: key.id, bytes };
}

/** A key policy file. */
export function policyFile(
  logs: readonly VerifierKey[],
  witnesses: readonly VerifierKey[] = [],
  quorum?: string,
): Uint8Array {
  const lines = [
    ...logs.map((key) => `log ${writeVerifierKey(key)}`),
    ...witnesses.map((key, index) => `witness w${String(index + 1)} ${writeVerifierKey(key)}`),
    ...(witnesses.length === 0
      ? []
      : [
          `group all-of-them all ${witnesses.map((_, index) => `w${String(index + 1)}`).join(' ')}`,
        ]),
    `quorum ${quorum ?? (witnesses.length === 0 ? 'none' : 'all-of-them')}`,
  ];
  return encoder.encode(`${lines.join('\n')}\n`);
}

/** A log in memory. */
export class SampleLog {
  readonly origin: string;
  /** Every key that is current signs. */
  keys: readonly SigningKey[];
  witnesses: readonly SigningKey[] = [];
  /** When the witnesses saw it, in seconds since 1970. */
  cosignedSecond = 1_795_317_180n;
  readonly drafts: LedgerDraft[] = [];
  #frontier = new Frontier();
  readonly #hashes = new Map<string, Hash>();

  constructor(origin = 'ledger.example/shop', keys: readonly SigningKey[] = [signingKey(origin)]) {
    this.origin = origin;
    this.keys = keys;
  }

  /** Appends entries; answers their indexes. */
  add(...drafts: readonly LedgerDraft[]): readonly number[] {
    return drafts.map((draft) => {
      this.#frontier.append(leafHash(draft.bytes), (level, index, hash) => {
        this.#hashes.set(`${String(level)} ${String(index)}`, hash);
      });
      return this.drafts.push(draft) - 1;
    });
  }

  readonly nodes: Nodes = (level, index) => {
    const hash = this.#hashes.get(`${String(level)} ${String(index)}`);
    if (hash === undefined) throw new Error('no such subtree');
    return hash;
  };

  /** The checkpoint of the tree, or of its beginning, signed. */
  checkpoint(size: number = this.drafts.length): string {
    const root = new Frontier(size, this.nodes).root();
    const text = writeCheckpoint({ origin: this.origin, size, root });
    return writeNote({
      text,
      signatures: [
        ...this.keys.map((key) => noteSignature(key, text)),
        ...this.witnesses.map((key) => noteSignature(key, text, this.cosignedSecond)),
      ],
    });
  }

  /** The receipt over entries, without the payloads named as `INDEX NAME`. */
  async receipt(
    indexes: readonly number[],
    erased: readonly string[] = [],
    keys: readonly SigningKey[] = this.keys,
  ): Promise<Uint8Array> {
    return composeReceipt({
      checkpoint: this.checkpoint(),
      entries: indexes.map((index) => this.entry(index, erased)),
      sign: (bytes) => keys.map((key) => ({ keyId: key.id, signature: signWith(key, bytes) })),
    });
  }

  entry(
    index: number,
    erased: readonly string[] = [],
  ): Parameters<typeof composeReceipt>[0]['entries'][number] {
    const draft = this.drafts[index];
    if (draft === undefined) throw new Error('no such entry');
    const names: { readonly payloads: Record<string, string> } = JSON.parse(
      new TextDecoder().decode(draft.bytes),
    );
    const payloads = Object.entries(names.payloads)
      .filter(([name]) => !erased.includes(`${String(index)} ${name}`))
      .flatMap(([name, digest]) => {
        const payload = draft.payloads.find((each) => each.digest === digest);
        return payload === undefined ? [] : [[name, payload] as const];
      });
    return {
      index,
      bytes: draft.bytes,
      proof: inclusionProof(index, this.drafts.length, this.nodes),
      payloads: new Map(payloads),
    };
  }

  /** The export, of the tree or of its beginning. */
  async exported(size: number = this.drafts.length): Promise<Uint8Array> {
    const entries = this.drafts.slice(0, size).map(({ bytes }) => bytes);
    return collected(composeExport({ checkpoint: this.checkpoint(size), entries }));
  }
}

/** All bytes of a stream. */
export async function collected(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}
