/**
 * The obligations of a ledger export: a checkpoint to believe, exactly the entries of its tree, and the
 * same beginning as every checkpoint that was kept elsewhere.
 */
import { Doubt } from './doubt.ts';
import { ExportReader, type ByteStream } from './export.ts';
import { Frontier, leafHash, sameHash, type Hash } from './merkle.ts';
import {
  signedCheckpoint,
  trustCheckpoint,
  type Trust,
  type TrustedCheckpoint,
} from './trusted-checkpoint.ts';

/** What a genuine export proves. */
export interface ProvedExport {
  readonly summary: string;
  readonly proved: readonly string[];
  readonly unproved: readonly string[];
}

/** Verifies an export against its own checkpoint and those kept elsewhere. Throws `Doubt`. */
export async function proveExport(
  file: ByteStream,
  trust: Trust,
  since: readonly string[] = [],
): Promise<ProvedExport> {
  const reader = new ExportReader(file);
  try {
    const trusted = await trustSigned(await reader.checkpoint(), trust);
    const { origin, size, root } = trusted.checkpoint;
    const kept = await Promise.all(since.map(async (each) => keptCheckpoint(each, trust, trusted)));
    const tree = new GrowingTree(new Set(kept.map((each) => each.checkpoint.size)));
    await reader.entries((entry) => {
      if (tree.size === size) {
        throw new Doubt(
          'extra_entries',
          `there are more than the ${String(size)} entries that were signed`,
        );
      }
      tree.append(entry);
    });
    if (tree.size < size) {
      throw new Doubt(
        'truncated',
        `the export holds ${String(tree.size)} of ${String(size)} entries: it is truncated, or some were removed`,
      );
    }
    if (!sameHash(tree.root(), root)) {
      throw new Doubt('root_mismatch', 'the entries are not the ones that were signed');
    }
    for (const each of kept) checkSameBeginning(tree, each);
    return {
      summary: `ledger of ${String(size)} entries`,
      proved: [
        ...trusted.proved,
        `these are all its entries from the first to entry ${String(size)}: none was changed, removed, reordered or inserted since it was signed`,
        ...kept.map(
          ({ checkpoint }) =>
            `it only grew since the checkpoint of size ${String(checkpoint.size)} that was kept`,
        ),
      ],
      unproved: [
        ...trusted.unproved,
        ...(kept.length > 0
          ? []
          : [`that \`${origin}\` was never longer: no checkpoint kept elsewhere was given`]),
        'that what the layer recorded is what happened at the targets',
      ],
    };
  } finally {
    await reader.close();
  }
}

/** The tree as it grows, with what its root was at some sizes. */
class GrowingTree {
  readonly #frontier = new Frontier();
  readonly #wanted: ReadonlySet<number>;
  readonly #roots = new Map<number, Hash>();

  constructor(wanted: ReadonlySet<number>) {
    this.#wanted = wanted;
    this.#note();
  }

  get size(): number {
    return this.#frontier.size;
  }

  append(entry: Uint8Array): void {
    this.#frontier.append(leafHash(entry));
    this.#note();
  }

  root(): Hash {
    return this.#frontier.root();
  }

  rootAt(size: number): Hash | undefined {
    return this.#roots.get(size);
  }

  #note(): void {
    if (this.#wanted.has(this.size)) this.#roots.set(this.size, this.root());
  }
}

async function trustSigned(signed: string, trust: Trust): Promise<TrustedCheckpoint> {
  return trustCheckpoint(signedCheckpoint(signed, trust.policy), trust);
}

/** A checkpoint of the same log that was kept elsewhere. */
async function keptCheckpoint(
  signed: string,
  trust: Trust,
  { checkpoint: { origin, size } }: TrustedCheckpoint,
): Promise<TrustedCheckpoint> {
  const kept = await trustSigned(signed, trust);
  const { checkpoint } = kept;
  if (checkpoint.origin !== origin) {
    throw new Doubt(
      'other_log',
      `the checkpoint that was kept is of log \`${checkpoint.origin}\`, not of \`${origin}\``,
    );
  }
  if (checkpoint.size > size) {
    throw new Doubt(
      'older_than_checkpoint',
      `the ledger has ${String(size)} entries and had ${String(checkpoint.size)} already: it was cut, or an older copy took its place`,
    );
  }
  return kept;
}

function checkSameBeginning(tree: GrowingTree, { checkpoint }: TrustedCheckpoint): void {
  const root = tree.rootAt(checkpoint.size);
  if (root !== undefined && sameHash(root, checkpoint.root)) return;
  throw new Doubt(
    'forked',
    `the ledger does not begin with the ${String(checkpoint.size)} entries of the checkpoint that was kept: its log signed two histories`,
  );
}
