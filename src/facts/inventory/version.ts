/** The version that every document of the inventory begins with. */
import type { DocumentNode } from '../../kernel/document.ts';
import { type InventoryReading, refuse } from './reading.ts';

/** Notes a version other than 1. */
export function readVersion(reading: InventoryReading, node: DocumentNode | undefined): void {
  if (node === undefined) return;
  if (node.kind === 'scalar' && node.value === 1n) return;
  const text = node.kind === 'scalar' ? node.text : node.kind;
  refuse(reading, {
    code: 'bad_version',
    position: node.position,
    message: `version \`${text}\` is not known`,
    hint: 'write `version: 1`',
  });
}
