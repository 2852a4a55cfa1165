/**
 * The log of a running layer: its keys, its checkpoints and their marks. It is opened before anything is
 * activated, so that a store that is older than its newest checkpoint is never written to.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Refused } from '../cli/server-door.ts';
import { Checkpoints } from '../engine/checkpoints.ts';
import type { LogStore } from '../engine/ports.ts';
import type { LedgerDesk, PermitDesk } from '../gateways/http/call.ts';
import type { TenantName } from '../kernel/id.ts';
import type { ReasonView } from '../protocol/status.ts';
import type { ServerConfiguration } from './configuration.ts';
import { LEDGER_DEFAULT, type LedgerSettings } from './ledger-settings.ts';
import { readIfThere, writePrivately } from './private-files.ts';
import { checkpointFiles, marksDirectory, openSigner } from './signing-keys.ts';
import { HttpWitnesses } from './witnesses.ts';

/** Where the name that a log was given at its first start is kept. */
const ORIGIN_FILE = 'origin';
const ORIGIN = /^exequatur\.invalid\/[0-9a-f]{16}$/u;

/** How often, at least, a log is looked at: not all that is written to it is about an action. */
const LOOK_EVERY_MS = 1000;

/** What is configured where the log's keys lie. */
export type LedgerPlace = Pick<ServerConfiguration, 'data' | 'ledger'>;

/** A log that is open. */
export interface Ledger {
  readonly desk: LedgerDesk;
  readonly permits: PermitDesk;
  /** The ledger of a tenant grew, and is signed soon. */
  grown(tenant: TenantName): void;
  /** What is wrong with it now. */
  reasons(): readonly ReasonView[];
  close(): Promise<void>;
}

/** What it is opened with. */
export interface LedgerParts extends LedgerPlace {
  readonly tenant: TenantName;
  readonly store: LogStore;
  readonly trouble: (code: string, message: string) => void;
}

/**
 * Opens the log, or says why the store must not be started on: `ledger_rolled_back`, `ledger_diverged`,
 * `signing_key_missing`, `signing_key_exposed`, `signing_key_malformed`, `signing_keys_many`.
 */
export async function openLedger(
  parts: LedgerParts,
): Promise<{ readonly kind: 'ledger'; readonly ledger: Ledger } | Refused> {
  const { store, tenant, trouble } = parts;
  const settings = parts.ledger ?? LEDGER_DEFAULT;
  const directory = keysDirectory(parts);
  const opened = openSigner(directory);
  if (opened.kind === 'refused') return opened;
  const { signer } = opened;
  const origin = originOf(parts);
  const witnesses = witnessesOf(settings, trouble);
  const checkpoints = new Checkpoints({
    store,
    signer,
    marks: checkpointFiles(marksOf(parts)),
    origin,
    trouble,
    ...(witnesses === undefined ? {} : { witnesses }),
  });
  const refusal = await checkpoints.open(tenant);
  if (refusal !== undefined) return refusal;
  const looking = setInterval(() => checkpoints.grown(tenant), LOOK_EVERY_MS).unref();
  return {
    kind: 'ledger',
    ledger: {
      desk: { checkpoints, signer, isPublic: settings.public },
      permits: { signer, issuer: origin },
      grown: (grown) => checkpoints.grown(grown),
      reasons: () => checkpoints.diverged.map(divergedReason),
      close: () => {
        clearInterval(looking);
        return checkpoints.close();
      },
    },
  };
}

/** The directory of the signing keys. */
export function keysDirectory({ data, ledger }: LedgerPlace): string {
  return ledger?.keys ?? join(data, 'keys');
}

/** Where the newest checkpoint of each log, and its name, are kept. */
export function marksOf(place: LedgerPlace): string {
  return marksDirectory({ keys: keysDirectory(place), data: place.data });
}

/** What the origins of the logs begin with: as configured, or random, made once and kept beside the keys. */
export function originOf(place: LedgerPlace): string {
  const { origin } = place.ledger ?? LEDGER_DEFAULT;
  if (origin !== undefined) return origin;
  const path = join(marksOf(place), ORIGIN_FILE);
  const kept = readIfThere(path)?.trim() ?? '';
  if (ORIGIN.test(kept)) return kept;
  // The name `invalid` can belong to nobody (RFC 6761).
  const made = `exequatur.invalid/${randomBytes(8).toString('hex')}`;
  writePrivately(path, `${made}\n`);
  return made;
}

function witnessesOf(
  { witnesses }: LedgerSettings,
  trouble: LedgerParts['trouble'],
): HttpWitnesses | undefined {
  return witnesses.length === 0 ? undefined : new HttpWitnesses({ witnesses, trouble });
}

function divergedReason(tenant: TenantName): ReasonView {
  return {
    code: 'ledger_diverged',
    message: `the ledger of \`${tenant}\` did not only grow, and is not signed any more`,
  };
}
