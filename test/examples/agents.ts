/** The layer of `examples/agents`, and what its pages promise. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../architecture/source.ts';
import { startLayer, type Layer } from '../fixtures/layer.ts';

/** Where the examples lie. */
export const AGENTS: string = join(ROOT, 'examples/agents');

/** Starts the layer that the examples act through, in a folder of its own. */
export function startNotebook(): Promise<Layer> {
  return startLayer({
    inventory: textOf('inventory.yaml'),
    policy: textOf('policy.yaml'),
    files: { 'notebook.sh': textOf('notebook.sh') },
  });
}

/** What the page of an example says it prints. */
export function promisedBy(example: string): string {
  const page = textOf(join(example, 'README.md'));
  const promised = /^```text\n([\s\S]*?)^```/mu.exec(page)?.[1];
  if (promised === undefined) throw new Error(`the page of ${example} promises nothing`);
  return promised;
}

function textOf(name: string): string {
  return readFileSync(join(AGENTS, name), 'utf8');
}
