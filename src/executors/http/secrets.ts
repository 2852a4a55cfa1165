/**
 * Secrets that an action names and never holds: leased when its request is prepared, put in place when
 * the request is put together, let go with it. In a compiled effect their references stand for them.
 */
import type { EffectRequest } from '../../engine/ports.ts';
import type { CredentialReference } from '../../kernel/inventory.ts';
import { leaseCredential, type CredentialSource, type Lease } from '../credentials.ts';
import { refuse } from '../refusal.ts';

/** The leased secrets of one request. */
export interface LeasedSecrets {
  /** The value of the secret of this name; throws once they are released. */
  readonly value: (name: string) => string;
  /** Ends the leases; safe to call twice. */
  readonly release: () => void;
}

/** What stands for a secret in a compiled effect: another reference is another effect, another value is not. */
export function secretPlaceholder(request: EffectRequest, name: string): string {
  return `‹secret argument ${referenceOf(request, name)}›`;
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
  return { value: (name) => leases.get(name)?.value ?? missing(name), release };
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
