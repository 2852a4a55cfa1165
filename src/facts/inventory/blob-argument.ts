/** What arguments of the type `blob` need of their target: a program that reads them from a file. */
import type { DocumentNode } from '../../kernel/document.ts';
import type { ArgumentFields, ExecutorBinding } from '../../kernel/inventory.ts';
import { type InventoryReading, refuse } from './reading.ts';

/** Notes, at its argument, every blob at a target that does not run programs. */
export function checkBlobs(
  reading: InventoryReading,
  { fields, node }: { readonly fields: ArgumentFields; readonly node: DocumentNode | undefined },
  executor: ExecutorBinding,
): void {
  if (executor.kind === 'process') return;
  for (const { key, value } of node?.kind === 'mapping' ? node.entries : []) {
    const type = Object.hasOwn(fields, key) ? fields[key]?.type : undefined;
    if (type?.kind !== 'blob') continue;
    refuse(reading, {
      code: 'misplaced_blob',
      position: value.position,
      message: 'only a target that runs programs takes a blob as an argument',
      hint: 'a program under `process:` gets the path of a copy of it',
    });
  }
}
