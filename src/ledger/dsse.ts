/**
 * Signed envelopes (DSSE v1): a payload with its type, and signatures over both. Whoever verifies one
 * goes on with the very bytes that were signed.
 */
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import { readBase64, writeBase64 } from './base64.ts';
import { Doubt } from './doubt.ts';
import { listOf, malformed, objectOf, onlyMembers, textOf } from './fields.ts';
import { verifyEd25519, type VerifierKey } from './note.ts';

/** Signatures of one envelope at most. */
const SIGNATURES_MAX = 16;

/** What is signed. */
export interface EnvelopePayload {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** A signature, and the key that it claims to be by: 8 hex digits, as in a note. */
export interface EnvelopeSignature {
  readonly keyId: string;
  readonly signature: Uint8Array;
}

/** An envelope taken apart; nothing about its signatures is known yet. */
export interface Envelope {
  readonly payload: EnvelopePayload;
  readonly signatures: readonly EnvelopeSignature[];
}

/** The pre-authentication encoding: what the signatures are over (DSSE protocol.md). */
export function envelopeBytes({ type, bytes }: EnvelopePayload): Uint8Array {
  const typeBytes = encoder.encode(type);
  const head = `DSSEv1 ${String(typeBytes.length)} ${type} ${String(bytes.length)} `;
  const headBytes = encoder.encode(head);
  const encoded = new Uint8Array(headBytes.length + bytes.length);
  encoded.set(headBytes);
  encoded.set(bytes, headBytes.length);
  return encoded;
}

/** An envelope as JSON. */
export function envelopeJson({ payload, signatures }: Envelope): JsonObject {
  return {
    payload: writeBase64(payload.bytes),
    payloadType: payload.type,
    signatures: signatures.map(({ keyId, signature }) => ({
      keyid: keyId,
      sig: writeBase64(signature),
    })),
  };
}

/** Takes an envelope apart. Throws `Doubt`. */
export function readEnvelope(value: JsonValue | undefined): Envelope {
  const envelope = objectOf(value, 'the envelope');
  onlyMembers(envelope, ['payload', 'payloadType', 'signatures'], 'the envelope');
  const signatures = listOf(envelope['signatures'], 'the envelope');
  if (signatures.length > SIGNATURES_MAX) throw malformed('the envelope');
  return {
    payload: {
      type: textOf(envelope['payloadType'], 'the envelope'),
      bytes: bytesOf(envelope['payload']),
    },
    signatures: signatures.map((each) => {
      const signature = objectOf(each, 'a signature');
      onlyMembers(signature, ['keyid', 'sig'], 'a signature');
      return {
        keyId: textOf(signature['keyid'], 'a signature'),
        signature: bytesOf(signature['sig']),
      };
    }),
  };
}

/** A signature that claims one of the keys, and whether it is by it. */
export interface EnvelopeClaim {
  readonly key: VerifierKey;
  readonly valid: boolean;
}

/** Tries each signature whose key id is that of a key. The id says only which key to try. */
export async function verifyEnvelope(
  { payload, signatures }: Envelope,
  keys: readonly VerifierKey[],
): Promise<readonly EnvelopeClaim[]> {
  const signed = envelopeBytes(payload);
  const claims = await Promise.all(
    signatures.map(async ({ keyId, signature }) => {
      const key = keys.find(({ id }) => id === keyId);
      if (key === undefined) return [];
      return [{ key, valid: await verifyEd25519(key.publicKey, signature, signed) }];
    }),
  );
  return claims.flat();
}

/** The keys that signed. Throws `Doubt` where none did, or where one of the claims is false. */
export function envelopeSigners(claims: readonly EnvelopeClaim[]): readonly VerifierKey[] {
  if (claims.some(({ valid }) => !valid)) {
    throw new Doubt('forged_signature', 'the statement’s signature is not by the key it names');
  }
  if (claims.length === 0) {
    throw new Doubt(
      'no_key',
      'the statement is signed by no key that the policy names for its log',
    );
  }
  return claims.map(({ key }) => key);
}

const encoder = new TextEncoder();

function bytesOf(value: JsonValue | undefined): Uint8Array {
  const bytes = readBase64(textOf(value, 'the envelope'));
  if (bytes === undefined) throw malformed('base64 of the envelope');
  return bytes;
}
