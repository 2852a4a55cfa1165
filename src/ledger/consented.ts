/**
 * Whether the payloads beside entries are what the digests in the entries stand for: the action that was
 * proposed, and what people consented to. What was erased cannot be checked any more, and is told as such.
 */
import { digestOf } from '../kernel/digest.ts';
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import { Doubt } from './doubt.ts';
import { malformed, objectOf } from './fields.ts';
import type { ReadEntry } from './read-entry.ts';

/** What an entry says that its payload is. */
export interface Named {
  /** The action's digest. */
  readonly digest: string;
  /** The consent digest; `null` where nobody could have consented. */
  readonly consent: string | null;
}

/** The action beside the proposal is the one that the digest names. */
export function checkAction(
  entry: ReadEntry,
  named: Pick<Named, 'digest'> & { readonly target: string; readonly operation: string },
): void {
  const { action } = entry.payloads;
  if (action === undefined) return;
  const read = objectOf(action, 'the action');
  const same =
    digestOf('exequatur/action/v1', action) === named.digest &&
    read['tenant'] === entry.tenant &&
    read['target'] === named.target &&
    read['operation'] === named.operation;
  if (!same) throw notNamed('the action beside the proposal', entry);
}

/** What was decided from is this action, resolved and previewed as the crossing says. */
export function checkCrossing(entry: ReadEntry, { digest, consent }: Named): void {
  const { inputs } = entry.payloads;
  if (inputs === undefined) return;
  const read = objectOf(inputs, 'the inputs');
  if (read['actionDigest'] !== digest) throw notNamed('what was decided from', entry);
  if (consent === null) return;
  const subject = {
    actionDigest: digest,
    nonce: read['nonce'],
    resolution: knownOf(read['resolution']),
    preview: knownOf(read['preview']),
  };
  const made = consentOf(entry, subject);
  const { body } = entry;
  const same =
    made.consent === consent &&
    made.resolution === body['resolution'] &&
    made.preview === body['preview'];
  if (!same) throw notNamed('what was decided from', entry);
}

/** What a person said yes to is this action. */
export function checkAnswer(entry: ReadEntry, { digest, consent }: Named): void {
  const { subject } = entry.payloads;
  if (subject === undefined) return;
  const read = objectOf(subject, 'the subject of an approval');
  const same =
    read['actionDigest'] === digest &&
    read['tenant'] === entry.tenant &&
    read['action'] === entry.action &&
    consentOf(entry, read).consent === consent;
  if (!same) throw notNamed('what was approved', entry);
}

/** The value that was gathered; `undefined` where none was. */
export function knownOf(gathered: JsonValue | undefined): JsonValue | undefined {
  const read = objectOf(gathered, 'what was gathered');
  return read['kind'] === 'known' ? read['value'] : undefined;
}

const RESOLUTION = [
  'identity',
  'environment',
  'operation',
  'effect',
  'credential',
  'executor',
  'files',
] as const;

interface Consent {
  readonly consent: string;
  readonly preview: string;
  readonly resolution: string;
}

/** The digests of `consentDigests` in kernel/action.ts, over what was stored. */
function consentOf(
  { tenant, action }: ReadEntry,
  subject: Readonly<Record<string, JsonValue | undefined>>,
): Consent {
  const resolved = objectOf(subject['resolution'], 'a resolution');
  const resolution = digestOf('exequatur/resolution/v1', membersOf(resolved, RESOLUTION));
  const { preview: shown } = subject;
  const material =
    shown === null || shown === 'none' ? null : objectOf(shown, 'a preview')['material'];
  if (material === undefined) throw malformed('a preview');
  const preview = digestOf('exequatur/preview/v1', material);
  const { actionDigest, nonce } = subject;
  if (action === undefined || actionDigest === undefined || nonce === undefined) {
    throw malformed('what was consented to');
  }
  const parts = { action, actionDigest, nonce, preview, resolution, tenant };
  return { consent: digestOf('exequatur/consent/v1', parts), preview, resolution };
}

function membersOf(object: JsonObject, names: readonly string[]): JsonObject {
  const members: [string, JsonValue][] = names.map((name) => {
    const value = object[name];
    if (value === undefined) throw malformed('a resolution');
    return [name, value];
  });
  return Object.fromEntries(members);
}

function notNamed(what: string, { sequence }: ReadEntry): Doubt {
  return new Doubt('story_mismatch', `${what} is not what entry ${String(sequence)} says it is`);
}
