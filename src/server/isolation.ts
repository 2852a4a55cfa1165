/**
 * Outside development mode every target that runs programs says what keeps them from the layer's own
 * keys and store. Saying nothing is refused at load; `user: same-as-layer` says that nothing does.
 */
import { readYaml } from '../facts/document/yaml.ts';
import type { DocumentNode, Position, Problem } from '../kernel/document.ts';
import type { LoadedEpoch } from './loading.ts';

/** `isolation_required` for each such target, where it stands in the inventory. */
export function isolationProblems(
  { policy, sources }: LoadedEpoch,
  inventoryFile: string,
): readonly Problem[] {
  const silent = [...policy.inventory.targets.values()].filter(
    ({ executor }) => executor.kind === 'process' && executor.isolation === undefined,
  );
  if (silent.length === 0) return [];
  const { document } = readYaml(sources.inventory.text, inventoryFile);
  return silent.map(({ name }) => ({
    code: 'isolation_required',
    severity: 'error',
    position: positionOf(document, ['targets', name, 'process']) ?? {
      file: inventoryFile,
      line: 1,
      column: 1,
    },
    message: `the programs of target \`${name}\` would run as the layer's own user`,
    hint: 'add `user: NAME` or `sandbox: bwrap` under `process:`, or `user: same-as-layer` to say so',
  }));
}

function positionOf(
  document: DocumentNode | undefined,
  path: readonly string[],
): Position | undefined {
  let node = document;
  for (const key of path) {
    if (node?.kind !== 'mapping') return undefined;
    node = node.entries.find((entry) => entry.key === key)?.value;
  }
  return node?.position;
}
