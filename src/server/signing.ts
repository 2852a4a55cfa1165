/** The signing keys of a layer from outside: shown as a key policy, rotated and retired. No layer need run. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type {
  Refused,
  SigningDone,
  SigningOptions,
  SigningShown,
  SigningShowOptions,
} from '../cli/server-door.ts';
import { parseTenantName, type TenantName } from '../kernel/id.ts';
import { readCheckpoint } from '../ledger/checkpoint.ts';
import { readNote, verifierKey, writeVerifierKey } from '../ledger/note.ts';
import { readConfiguration } from './configuration.ts';
import { keysDirectory, marksOf, originOf, type LedgerPlace } from './ledger-service.ts';
import { LEDGER_DEFAULT } from './ledger-settings.ts';
import { readIfThere } from './private-files.ts';
import {
  CHECKPOINT_ENDING,
  openSigner,
  retiredKeys,
  retireKey,
  rotateKey,
} from './signing-keys.ts';

/** The public keys as a key policy. */
export async function signingShow(options: SigningShowOptions): Promise<SigningShown | Refused> {
  const place = await placeOf(options);
  if ('kind' in place) return place;
  const directory = keysDirectory(place);
  const opened = openSigner(directory);
  if (opened.kind === 'refused') return opened;
  const origins = originsOf(place, marksOf(place));
  const origin = options.log ?? origins.at(-1) ?? '';
  if (!origins.includes(origin)) {
    const message = `these keys sign no log \`${origin}\``;
    return refused('log_unknown', message, `they sign ${origins.join(', ')}`);
  }
  const keysOf = (publicKeys: readonly Uint8Array[]): readonly string[] =>
    publicKeys.map((key) => writeVerifierKey(verifierKey(origin, 'log', key)));
  const keys = keysOf(opened.signer.publicKeys);
  const retired = keysOf(retiredKeys(directory));
  const { witnesses } = place.ledger ?? LEDGER_DEFAULT;
  const lines = [
    ...keys.map((key) => `log ${key}`),
    ...retired.map((key) => `# retired, for what it signed before: log ${key}`),
    // A policy may name a key once (C2SP tlog-policy), so that each log has a policy of its own.
    ...origins.filter((each) => each !== origin).map((each) => `# another log: --log ${each}`),
    ...witnesses.map(
      ({ key, url }, index) =>
        `witness witness-${String(index + 1)} ${writeVerifierKey(key)} ${url.href}`,
    ),
    ...quorumOf(witnesses.length),
  ];
  return { kind: 'shown', origin, origins, keys, retired, policy: `${lines.join('\n')}\n` };
}

/** Makes the next key. */
export async function signingRotate(options: SigningOptions): Promise<SigningDone | Refused> {
  const place = await placeOf(options);
  if ('kind' in place) return place;
  const opened = openSigner(keysDirectory(place));
  if (opened.kind === 'refused') return opened;
  const done = rotateKey(keysDirectory(place));
  return 'kind' in done ? done : { kind: 'done', file: done.file };
}

/** Puts the older key aside. */
export async function signingRetire(options: SigningOptions): Promise<SigningDone | Refused> {
  const place = await placeOf(options);
  if ('kind' in place) return place;
  const done = retireKey(keysDirectory(place));
  return 'kind' in done ? done : { kind: 'done', file: done.file };
}

type Place = LedgerPlace & { readonly tenant: TenantName };

/** As configured; a data directory alone, such as that of `dev`, has its keys in it. */
async function placeOf({ config, data, from }: SigningOptions): Promise<Place | Refused> {
  const directory = data === undefined ? undefined : resolve(from, data);
  if (directory !== undefined && config === undefined) return orMissing(directory, {});
  const file = resolve(from, config ?? 'exequatur.yaml');
  const { configuration, problems } = await readConfiguration(file);
  if (configuration === undefined) {
    const [first] = problems;
    const message = first?.message ?? 'it cannot be read';
    return refused('configuration_invalid', `\`${file}\`: ${message}`, 'run `exequatur doctor`');
  }
  const { tenant, ledger } = configuration;
  return orMissing(directory ?? configuration.data, {
    tenant,
    ...(ledger === undefined ? {} : { ledger }),
  });
}

/** What was never there is no layer's, and is not made here. */
function orMissing(data: string, parts: Partial<Place>): Place | Refused {
  const tenant = parts.tenant ?? parseTenantName('default');
  if (tenant === undefined) throw new Error('the name is one');
  const place = { ...parts, data, tenant };
  if (existsSync(keysDirectory(place))) return place;
  const message = `there are no keys in \`${keysDirectory(place)}\``;
  return refused('keys_missing', message, 'the first start of the layer makes them');
}

/** Every log that these keys sign or signed, the newest of the configured tenant last: a restored backup begins another one. */
function originsOf(place: Place, directory: string): readonly string[] {
  const base = originOf(place);
  const marked = (existsSync(directory) ? readdirSync(directory) : [])
    .filter((name) => name.endsWith(CHECKPOINT_ENDING))
    .map((name) => name.slice(0, -CHECKPOINT_ENDING.length));
  const others = marked.filter((tenant) => tenant !== place.tenant).toSorted();
  const tenants = [...others, place.tenant];
  return tenants.flatMap((tenant) => {
    const first = `${base}/${tenant}`;
    const mark = readIfThere(join(directory, tenant + CHECKPOINT_ENDING));
    const origin = mark === undefined ? first : readCheckpoint(readNote(mark).text).origin;
    if (!origin.startsWith(`${first}/`)) return [...new Set([first, origin])];
    const generations = Number(origin.slice(first.length + 1));
    return Array.from({ length: generations }, (_, index) =>
      index === 0 ? first : `${first}/${String(index + 1)}`,
    );
  });
}

function quorumOf(witnesses: number): readonly string[] {
  if (witnesses === 0) return ['quorum none'];
  const names = Array.from({ length: witnesses }, (_, index) => `witness-${String(index + 1)}`);
  return [`group witnesses any ${names.join(' ')}`, 'quorum witnesses'];
}

function refused(code: string, message: string, hint: string): Refused {
  return { kind: 'refused', code, message, hint };
}
