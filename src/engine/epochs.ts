/**
 * Epochs: what makes one the active one, and how the documents it was made from are found again. The
 * epoch's digest covers their texts, so that what is loaded from them later is what decided then, down
 * to the line that a finding names.
 */
import { DIGEST_TAGS, digestOf, parseDigest, type Digest } from '../kernel/digest.ts';
import type { TenantName } from '../kernel/id.ts';
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import type { CompiledPolicy } from '../kernel/policy/compiled.ts';
import { sha256Hex } from '../kernel/sha256.ts';
import { controlEntry, type Salt } from './entries.ts';
import type { Epoch, SourceText, Store } from './ports.ts';

/** A document as it was read: its path is what findings name. */
export interface EpochSource {
  readonly path: string;
  readonly text: string;
}

/** The documents of an epoch. */
export interface EpochSources {
  readonly inventory: EpochSource;
  /** The lock file beside the inventory, where there is one. */
  readonly lock?: EpochSource;
  readonly policies: readonly EpochSource[];
}

/** What is made active. */
export interface NewEpoch {
  readonly tenant: TenantName;
  readonly policy: CompiledPolicy;
  readonly sources: EpochSources;
}

/** Makes an epoch the active one in the store; the same documents answer the one that stands. */
export async function activateEpoch(
  { store, salt }: { readonly store: Store; readonly salt: Salt },
  { tenant, policy, sources }: NewEpoch,
): Promise<Epoch> {
  const digest = epochDigest(policy, sources);
  const texts = all(sources).map(({ text }) => sourceText(text));
  return store.activate(
    tenant,
    digest,
    (at, number) =>
      controlEntry('epoch', {
        tenant,
        at,
        by: 'operator',
        body: { digest, epoch: number, inventory: policy.inventory.digest, policy: policy.digest },
        payloads: { sources: sourcesJson(sources) },
        salt,
      }),
    texts,
  );
}

/** The digest of an epoch: what its policy and inventory mean, and the very documents they stand in. */
export function epochDigest(policy: CompiledPolicy, sources: EpochSources): Digest {
  return digestOf(DIGEST_TAGS.epoch, {
    inventory: policy.inventory.digest,
    policy: policy.digest,
    sources: sourcesJson(sources),
  });
}

/**
 * The documents that an epoch's `sources` payload names; `undefined` where one is not in the store, or
 * is not the one that was named.
 */
export async function findSources(
  store: Pick<Store, 'source'>,
  tenant: TenantName,
  named: JsonObject,
): Promise<EpochSources | undefined> {
  const find = async (value: JsonValue | undefined): Promise<EpochSource | undefined> => {
    const path = memberOf(value, 'path');
    const digest = parseDigest(memberOf(value, 'sha256') ?? '');
    const bytes = digest && (await store.source(tenant, digest));
    if (path === undefined || bytes === undefined) return undefined;
    const text = new TextDecoder().decode(bytes);
    return sourceText(text).digest === digest ? { path, text } : undefined;
  };
  const { inventory, lock = null, policies } = named;
  if (!Array.isArray(policies)) return undefined;
  const found = await find(inventory);
  const locked = lock === null ? undefined : await find(lock);
  const texts = await Promise.all(policies.map(find));
  if (found === undefined || (lock !== null && locked === undefined)) return undefined;
  const whole = texts.flatMap((text) => text ?? []);
  if (whole.length < texts.length) return undefined;
  return { inventory: found, ...(locked === undefined ? {} : { lock: locked }), policies: whole };
}

function memberOf(value: JsonValue | undefined, name: 'path' | 'sha256'): string | undefined {
  if (typeof value !== 'object' || value === null || !(name in value)) return undefined;
  const member: unknown = Reflect.get(value, name);
  return typeof member === 'string' ? member : undefined;
}

function all({ inventory, lock, policies }: EpochSources): readonly EpochSource[] {
  return [inventory, ...(lock === undefined ? [] : [lock]), ...policies];
}

/** Names the documents; their texts are kept once, however many epochs they are part of. */
function sourcesJson({ inventory, lock, policies }: EpochSources): JsonObject {
  return {
    inventory: nameOf(inventory),
    ...(lock === undefined ? {} : { lock: nameOf(lock) }),
    policies: policies.map(nameOf),
  };
}

function nameOf({ path, text }: EpochSource): JsonObject {
  return { path, sha256: sourceText(text).digest };
}

function sourceText(text: string): SourceText {
  const bytes = new TextEncoder().encode(text);
  const digest = parseDigest(sha256Hex(bytes));
  if (digest === undefined) throw new Error('a SHA-256 has its form');
  return { digest, bytes };
}
