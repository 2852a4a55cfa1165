/**
 * Replay: the decisions of a ledger are read back with everything they were made from, made again under
 * the policy of their epoch, and compared with what the ledger says. Nothing but the ledger, its
 * payloads and the documents of its epochs is used, and memory does not grow with it.
 */
import type { Action } from '../kernel/action.ts';
import { parseDigest, type Digest } from '../kernel/digest.ts';
import { parseActionId, type ActionId, type TenantName } from '../kernel/id.ts';
import { parseJson } from '../kernel/json/parse.ts';
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import { canonicalBytes, writeCanonical } from '../kernel/json/write.ts';
import type { CompiledPolicy } from '../kernel/policy/compiled.ts';
import { readAction } from '../kernel/read-action.ts';
import { Doubt } from '../ledger/doubt.ts';
import { ENTRY_BYTES_MAX } from '../ledger/entry.ts';
import { readEntry, type ReadEntry } from '../ledger/read-entry.ts';
import { crossedBody, decidedBody } from './entries.ts';
import { epochDigest, findSources, type EpochSources } from './epochs.ts';
import type { LedgerRow, Store } from './ports.ts';
import { decideAgain, recordedInput, type RecordedInput } from './recorded.ts';

/** What a replay reads; a store that nobody runs is enough. */
export type ReplaySource = Pick<Store, 'ledger' | 'history' | 'payloads' | 'epochEntry' | 'source'>;

/** An epoch as it was. */
export interface PastEpoch {
  readonly sources: EpochSources;
  readonly policy: CompiledPolicy;
}

/** Which decision it is. */
export interface Decided {
  readonly id: ActionId;
  /** Of its entry, from 1. */
  readonly sequence: number;
  readonly at: number;
  readonly epoch: number;
  readonly verdict: string;
  readonly target: string;
  readonly operation: string;
  /** No later entry of the action holds a decision. */
  readonly isNewest: boolean;
}

/** A decision with everything it was made from. */
export interface ReadDecision extends Decided {
  readonly entry: ReadEntry;
  readonly recorded: RecordedInput;
  readonly past: PastEpoch;
}

/** A decision as far as it can be read back. */
export type DecisionRead =
  | { readonly kind: 'read'; readonly decision: ReadDecision }
  /** What it was made from was erased. */
  | { readonly kind: 'erased'; readonly id: string | undefined; readonly isNewest: boolean }
  | Broken;

/**
 * Something should be there, and is not, or is another. Codes: `epoch_unknown` where the documents of
 * its epoch are not there, `payload_mismatch`, `malformed` and the other codes of a `Doubt`.
 */
export interface Broken {
  readonly kind: 'broken';
  readonly sequence: number;
  readonly id: string | undefined;
  readonly code: string;
  readonly message: string;
}

/** Where a decision made again parts from what the ledger says. Values are absent where there are none. */
export interface Difference {
  /** Such as `verdict`, `matched`, or `findings` of the decision beside the entry. */
  readonly part: string;
  readonly was: JsonValue | undefined;
  readonly is: JsonValue | undefined;
}

/** Entries, proposals and epochs that are held in memory at once. */
const PAGE_ENTRIES = 256;
const PROPOSALS_MAX = 256;
const EPOCHS_MAX = 4;

/** Reads the decisions of one tenant's ledger back, in order. */
export class DecisionReader {
  readonly #source: ReplaySource;
  readonly #tenant: TenantName;
  readonly #compile: (sources: EpochSources) => CompiledPolicy | undefined;
  readonly #proposals = new Map<string, Proposal>();
  readonly #epochs = new Map<number, PastEpoch | undefined>();

  constructor(parts: {
    readonly source: ReplaySource;
    readonly tenant: TenantName;
    /** Makes a policy of an epoch's documents, as a start would. */
    readonly compile: (sources: EpochSources) => CompiledPolicy | undefined;
  }) {
    this.#source = parts.source;
    this.#tenant = parts.tenant;
    this.#compile = parts.compile;
  }

  /** Every decision of the ledger, a page at a time. */
  async *all(): AsyncGenerator<DecisionRead> {
    let after = 0;
    for (;;) {
      const rows = await this.#source.ledger(this.#tenant, after, PAGE_ENTRIES);
      yield* this.#of(rows);
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.sequence;
    }
  }

  /** Every decision about one action. */
  async *about(action: ActionId): AsyncGenerator<DecisionRead> {
    yield* this.#of(await this.#source.history(this.#tenant, action));
  }

  async *#of(rows: readonly LedgerRow[]): AsyncGenerator<DecisionRead> {
    for (const row of rows) {
      const read = await this.#read(row);
      if (read !== undefined) yield read;
    }
  }

  async #read(row: LedgerRow): Promise<DecisionRead | undefined> {
    const { sequence } = row;
    const head = headOf(row);
    if (head !== undefined && !isDecision(head.kind)) return undefined;
    try {
      const entry = await this.#entry(row);
      const id = parseActionId(entry.action ?? '');
      if (id === undefined) throw new Doubt('malformed', `entry ${String(sequence)} has no action`);
      return await this.#decision(entry, id);
    } catch (error) {
      if (!(error instanceof Doubt)) throw error;
      const { code, message } = error;
      const id = head?.action;
      if (code === 'erased') return { kind: 'erased', id, isNewest: true };
      return { kind: 'broken', sequence, id, code, message };
    }
  }

  async #decision(entry: ReadEntry, id: ActionId): Promise<DecisionRead> {
    const { sequence, at, body } = entry;
    const proposal = await this.#proposal(id);
    const { epoch, verdict, policy } = body;
    if (typeof epoch !== 'number' || typeof verdict !== 'string') throw malformed(sequence);
    const decided: Decided = {
      id,
      sequence,
      at,
      epoch,
      verdict,
      target: proposal.target,
      operation: proposal.operation,
      isNewest: sequence >= proposal.lastDecision,
    };
    const inputs = asObject(entry.payloads['inputs']);
    const { action, digest } = proposal;
    if (inputs === undefined || action === undefined) {
      return { kind: 'erased', id, isNewest: decided.isNewest };
    }
    const past = await this.#epoch(epoch);
    if (past === undefined || past.policy.digest !== policy) {
      const message = `the documents of epoch ${String(epoch)} are not those that it was begun with`;
      return { kind: 'broken', sequence, id, code: 'epoch_unknown', message };
    }
    const recorded = recordedInput({ id, action, digest }, inputs, past.policy.inventory);
    if (recorded === undefined) throw malformed(sequence);
    return { kind: 'read', decision: { ...decided, entry, recorded, past } };
  }

  /** An entry with its payloads, each checked against the digest by which the entry names it. */
  async #entry(row: LedgerRow): Promise<ReadEntry> {
    const { sequence, bytes } = row;
    const names = new Map<unknown, string>();
    for (const [name, digest] of Object.entries(headOf(row)?.payloads ?? {})) {
      names.set(digest, name);
    }
    const stored = await this.#source.payloads(this.#tenant, sequence);
    return readEntry(
      sequence,
      bytes,
      // One that lies there and is not named is refused under a name that no payload has.
      new Map(stored.map((payload) => [names.get(payload.digest) ?? '', payload])),
    );
  }

  async #proposal(id: ActionId): Promise<Proposal> {
    return remember(this.#proposals, { key: id, max: PROPOSALS_MAX }, async () => {
      const rows = await this.#source.history(this.#tenant, id);
      const [first] = rows;
      const entry = first && (await this.#entry(first));
      const last = rows.findLast((row) => isDecision(headOf(row)?.kind));
      const digest = parseDigest(textAt(entry?.body, 'digest'));
      if (entry?.kind !== 'proposed' || digest === undefined) {
        throw new Doubt('malformed', `the ledger holds no proposal of \`${id}\``);
      }
      const stored = entry.payloads['action'];
      const action = stored === undefined ? undefined : readAction(canonicalBytes(stored), digest);
      if (stored !== undefined && action === undefined) {
        throw new Doubt('payload_mismatch', `the action of \`${id}\` is not the one proposed`);
      }
      return {
        action,
        digest,
        target: textAt(entry.body, 'target'),
        operation: textAt(entry.body, 'operation'),
        lastDecision: last?.sequence ?? 0,
      };
    });
  }

  async #epoch(number: number): Promise<PastEpoch | undefined> {
    return remember(this.#epochs, { key: number, max: EPOCHS_MAX }, async () => {
      const row = await this.#source.epochEntry(this.#tenant, number);
      const entry = row && (await this.#entry(row));
      const named = asObject(entry?.payloads['sources']);
      if (entry?.body['epoch'] !== number || named === undefined) return undefined;
      const sources = await findSources(this.#source, this.#tenant, named);
      const policy = sources && this.#compile(sources);
      if (sources === undefined || policy === undefined) return undefined;
      return epochDigest(policy, sources) === entry.body['digest']
        ? { sources, policy }
        : undefined;
    });
  }
}

/** What an action was, and where its story of decisions ends. */
interface Proposal {
  /** `undefined` where it was erased. */
  readonly action: Action | undefined;
  readonly digest: Digest;
  readonly target: string;
  readonly operation: string;
  readonly lastDecision: number;
}

/** Decides again; `undefined` where the ledger says the same, byte for byte. */
export function differenceOf({ entry, recorded, past }: ReadDecision): Difference | undefined {
  const decision = decideAgain(past.policy, recorded);
  const parts = { input: recorded.input, decision, policy: past.policy.digest };
  const body =
    entry.kind === 'crossed'
      ? crossedBody(parts, textAt(entry.body, 'execution'))
      : decidedBody(parts);
  const inBody = firstDifference(entry.body, body, Object.keys(body));
  if (inBody !== undefined) return inBody;
  const written = asObject(entry.payloads['decision']);
  if (written === undefined) return undefined;
  const again = parseJson(canonicalBytes(decision), WHOLE);
  const made = again.ok ? asObject(again.value) : undefined;
  return firstDifference(written, made ?? {}, Object.keys({ ...written, ...made }));
}

/** What people look for first. */
const FIRST_PARTS = ['verdict', 'findings', 'codes', 'matched', 'consumes', 'reserves'];

function firstDifference(
  was: JsonObject,
  is: JsonObject,
  parts: readonly string[],
): Difference | undefined {
  const ranked = [...FIRST_PARTS.filter((part) => parts.includes(part)), ...parts];
  for (const part of ranked) {
    if (textOf(was[part]) !== textOf(is[part])) return { part, was: was[part], is: is[part] };
  }
  return undefined;
}

function textOf(value: JsonValue | undefined): string {
  return value === undefined ? '' : writeCanonical(value);
}

/** What an entry says of itself before it is checked; `undefined` where its bytes are none. */
function headOf({ bytes }: LedgerRow):
  | {
      readonly kind: string;
      readonly action: string | undefined;
      readonly payloads: JsonObject | undefined;
    }
  | undefined {
  const parsed = parseJson(bytes, { ...WHOLE, bytesMax: ENTRY_BYTES_MAX });
  const entry = parsed.ok ? asObject(parsed.value) : undefined;
  if (entry === undefined) return undefined;
  const { kind, action, payloads } = entry;
  return {
    kind: typeof kind === 'string' ? kind : '',
    action: typeof action === 'string' ? action : undefined,
    payloads: asObject(payloads),
  };
}

/** What was decided may be longer than what an agent may send. */
const WHOLE = {
  bytesMax: 16_777_216,
  stringLengthMax: 16_777_216,
  keysMax: 1_000_000,
  itemsMax: 1_000_000,
} as const;

function isDecision(kind: string | undefined): boolean {
  return kind === 'decided' || kind === 'crossed';
}

function malformed(sequence: number): Doubt {
  return new Doubt('malformed', `entry ${String(sequence)} is no decision that can be read`);
}

function textAt(object: JsonObject | undefined, name: string): string {
  const value = object?.[name];
  return typeof value === 'string' ? value : '';
}

function asObject(value: JsonValue | undefined): JsonObject | undefined {
  if (typeof value !== 'object' || value === null || isList(value)) return undefined;
  return value;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** The value under a key, made where it is not in memory; the one that came first is forgotten first. */
async function remember<Key, Value>(
  memory: Map<Key, Value>,
  { key, max }: { readonly key: Key; readonly max: number },
  make: () => Promise<Value>,
): Promise<Value> {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const value = await make();
  memory.set(key, value);
  const [oldest] = memory.keys();
  if (memory.size > max && oldest !== undefined) memory.delete(oldest);
  return value;
}
