/**
 * Secrets that an action names and never holds: leased when its effect is prepared, put in place when
 * the request or the environment is put together, let go with it. In a compiled effect their references
 * stand for them.
 */
import type { EffectRequest } from '../engine/ports.ts';
import type { CredentialReference } from '../kernel/inventory.ts';
import { leaseCredential, type CredentialSource, type Lease } from './credentials.ts';
import { refuse } from './refusal.ts';
import type { SecretTexts } from './template.ts';

/** The leased secrets of one effect. */
export interface LeasedSecrets {
  /** Their values; throws once they are released. */
  readonly texts: SecretTexts;
  /** Ends the leases; safe to call twice. */
  readonly release: () => void;
}

/** What stands for secrets in a compiled effect: another reference is another effect, another value is not. */
export function secretPlaceholders(request: EffectRequest): SecretTexts {
  return {
    kind: 'placeholders',
    text: (name) => `‹secret argument ${referenceOf(request, name)}›`,
  };
}

/**
 * Makes the masker know every secret that the arguments name: what was sent once may be in any answer,
 * also of a process that never sent it itself. Refuses with the `credential_…` codes.
 */
export async function knowSecrets(request: EffectRequest, source: CredentialSource): Promise<void> {
  const { release } = await leaseSecrets(request, source);
  release();
}

/** Leases every secret that the arguments name. Refuses with the `credential_…` codes. */
export async function leaseSecrets(
  request: EffectRequest,
  source: CredentialSource,
): Promise<LeasedSecrets> {
  const leases = new Map<string, Lease>();
  const release = (): void => {
    for (const lease of leases.values()) lease.release();
  };
  try {
    for (const name of secretNames(request)) {
      // One after the other: a reference may start a program.
      // oxlint-disable-next-line no-await-in-loop
      leases.set(name, await leaseCredential(referenceOf(request, name), source));
    }
  } catch (error) {
    release();
    throw error;
  }
  const text = (name: string): string => leases.get(name)?.value ?? missing(name);
  return { texts: { kind: 'values', text }, release };
}

function secretNames({ args, operation }: EffectRequest): ReadonlySet<string> {
  const names = Object.entries(operation.arguments).flatMap(([argument, { type }]) => {
    const name = Object.hasOwn(args, argument) ? args[argument] : undefined;
    return type.kind === 'secret' && typeof name === 'string' ? [name] : [];
  });
  return new Set(names);
}

function referenceOf({ target }: EffectRequest, name: string): CredentialReference {
  const { secrets = {} } = target.credentials;
  const reference = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
  return reference ?? missing(name);
}

function missing(name: string): never {
  return refuse('credential_missing', `the target has no secret \`${name}\``);
}
