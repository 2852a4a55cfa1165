/**
 * `replay --policy`: the newest decision of each action is made again under another policy, and what that
 * changes is counted.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type {
  PoliciesRefused,
  Reconsidered,
  ReconsideredRow,
  ReconsiderOptions,
  Refused,
} from '../cli/server-door.ts';
import type { EpochSource, EpochSources } from '../engine/epochs.ts';
import { reconsider, type Because } from '../engine/reconsidering.ts';
import type { DecisionRead, ReadDecision } from '../engine/replaying.ts';
import { createCalendars } from '../facts/calendar/calendars.ts';
import type { Problem } from '../kernel/document.ts';
import { formatInstant, instantOf } from '../kernel/instant.ts';
import type { CompiledPolicy } from '../kernel/policy/compiled.ts';
import { epochOf } from './loading.ts';
import { documentProblem, hasErrors, nearPath } from './problems.ts';
import { decisionsOf, openRecorded, PROGRESS_DECISIONS } from './replay.ts';
import { lockFileOf, readSource } from './source-file.ts';

/** Rows of a table at most; the counts go on. */
const ROWS_MAX = 1000;

/** Policies compiled for epochs with other inventories, held in memory at once. */
const POLICIES_MAX = 4;

/** Makes the newest decision of each action again under another policy. */
export async function reconsiderAll(
  options: ReconsiderOptions,
): Promise<Reconsidered | PoliciesRefused | Refused> {
  const other = await OtherPolicy.read(options);
  if (other.kind === 'problems') return other;
  const opened = openRecorded(options);
  if (opened.kind === 'refused') return opened;
  const summary = new Summary(options);
  const calendars = createCalendars();
  try {
    for await (const read of decisionsOf(opened)) {
      if (read.kind !== 'read') {
        summary.missed(read);
        continue;
      }
      if (!read.decision.isNewest) continue;
      const policy = other.policy.for(read.decision.past.sources);
      if (policy.kind === 'problems') return policy;
      summary.add(read.decision, reconsider(read.decision, policy.policy, calendars));
    }
  } finally {
    opened.reader.close();
  }
  return summary.told(opened.path);
}

/** What another policy would have changed, counted; memory is bounded by rules and {@link ROWS_MAX}. */
class Summary {
  readonly #options: ReconsiderOptions;
  readonly #counts = { actions: 0, unchanged: 0, erased: 0, broken: 0 };
  readonly #changes = new Map<string, number>();
  readonly #because = new Map<string, { place: string | undefined; count: number }>();
  readonly #rows: ReconsideredRow[] = [];

  constructor(options: ReconsiderOptions) {
    this.#options = options;
  }

  missed(read: Exclude<DecisionRead, { readonly kind: 'read' }>): void {
    if (read.kind === 'erased' && !read.isNewest) return;
    this.#counts[read.kind] += 1;
    this.#seen();
  }

  add(decision: ReadDecision, { would, because, missing }: ReturnType<typeof reconsider>): void {
    this.#seen();
    const { id, at, target, operation, verdict: was } = decision;
    if (would === was) {
      this.#counts.unchanged += 1;
      return;
    }
    const change = `${was} → ${would}`;
    this.#changes.set(change, (this.#changes.get(change) ?? 0) + 1);
    for (const each of because) this.#responsible(each);
    if (this.#rows.length === ROWS_MAX) return;
    this.#rows.push({
      id,
      at: formatInstant(instantOf(at)),
      target,
      operation,
      was,
      would,
      because: would === 'untold' ? missing : because.map(({ name }) => name),
    });
  }

  told(store: string): Reconsidered {
    const because = [...this.#because].map(([name, { place, count }]) => ({
      name,
      ...(place === undefined ? {} : { place }),
      count,
    }));
    return {
      kind: 'reconsidered',
      store,
      ...this.#counts,
      changes: Object.fromEntries(this.#changes),
      because: because.toSorted((left, right) => right.count - left.count),
      rows: this.#rows,
    };
  }

  #seen(): void {
    this.#counts.actions += 1;
    const { actions } = this.#counts;
    if (actions % PROGRESS_DECISIONS === 0) this.#options.progress(actions);
  }

  #responsible({ name, place }: Because): void {
    const known = this.#because.get(name);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    const near = place && `${nearPath(place.file, this.#options.from)}:${String(place.line)}`;
    this.#because.set(name, { place: near, count: 1 });
  }
}

// ---------------------------------------------------------------- the other policy

/** The policy that is tried, compiled with the inventory that each decision was made with. */
class OtherPolicy {
  readonly #from: string;
  readonly #policies: readonly EpochSource[];
  readonly #inventory: Pick<EpochSources, 'inventory' | 'lock'> | undefined;
  readonly #compiled = new Map<string, CompiledPolicy>();

  private constructor(
    from: string,
    policies: readonly EpochSource[],
    inventory: Pick<EpochSources, 'inventory' | 'lock'> | undefined,
  ) {
    this.#from = from;
    this.#policies = policies;
    this.#inventory = inventory;
  }

  static async read(
    options: ReconsiderOptions,
  ): Promise<{ readonly kind: 'read'; readonly policy: OtherPolicy } | PoliciesRefused> {
    const { from, inventory } = options;
    const problems: Problem[] = [];
    const one = async (path: string): Promise<EpochSource | undefined> => {
      const { text, problems: found } = await readSource(path);
      problems.push(...found);
      return text === undefined ? undefined : { path, text };
    };
    const policies = await Promise.all(options.policies.map((path) => one(resolve(from, path))));
    const file = inventory === undefined ? undefined : resolve(from, inventory);
    const given = file === undefined ? undefined : await one(file);
    const lockFile = file === undefined ? undefined : lockFileOf(file);
    const lock = lockFile !== undefined && existsSync(lockFile) ? await one(lockFile) : undefined;
    const whole = policies.flatMap((source) => source ?? []);
    if (hasErrors(problems)) return problemsAt(problems, from);
    const systems = given && { inventory: given, ...(lock === undefined ? {} : { lock }) };
    return { kind: 'read', policy: new OtherPolicy(from, whole, systems) };
  }

  for(
    past: EpochSources,
  ): { readonly kind: 'policy'; readonly policy: CompiledPolicy } | PoliciesRefused {
    const { inventory, lock } = this.#inventory ?? past;
    const key = JSON.stringify([inventory.text, lock?.text ?? null]);
    const known = this.#compiled.get(key);
    if (known !== undefined) return { kind: 'policy', policy: known };
    const sources = {
      inventory,
      ...(lock === undefined ? {} : { lock }),
      policies: this.#policies,
    };
    const { epoch, problems } = epochOf(sources);
    if (epoch === undefined) return problemsAt(problems, this.#from);
    this.#compiled.set(key, epoch.policy);
    const [oldest] = this.#compiled.keys();
    if (this.#compiled.size > POLICIES_MAX && oldest !== undefined) this.#compiled.delete(oldest);
    return { kind: 'policy', policy: epoch.policy };
  }
}

function problemsAt(problems: readonly Problem[], from: string): PoliciesRefused {
  return { kind: 'problems', problems: problems.map((problem) => documentProblem(problem, from)) };
}
