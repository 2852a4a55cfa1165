/** What arguments of the type `secret` need of their target: a place to stand, and a reference each. */
import { didYouMean } from '../../kernel/did-you-mean.ts';
import type { DocumentNode } from '../../kernel/document.ts';
import type { ArgumentFields, Target } from '../../kernel/inventory.ts';
import { type InventoryReading, refuse } from './reading.ts';

/** Notes, at its argument, every secret that the target's `credentials` do not lead to. */
export function checkSecrets(
  reading: InventoryReading,
  { fields, node }: { readonly fields: ArgumentFields; readonly node: DocumentNode | undefined },
  { executor, credentials: { secrets = {} } }: Pick<Target, 'executor' | 'credentials'>,
): void {
  for (const { key, value } of node?.kind === 'mapping' ? node.entries : []) {
    const type = Object.hasOwn(fields, key) ? fields[key]?.type : undefined;
    if (type?.kind !== 'secret') continue;
    const { position } = value;
    if (executor.kind !== 'http' && executor.kind !== 'process') {
      const message = 'only a target under `http:` or `process:` takes a secret as an argument';
      refuse(reading, { code: 'misplaced_secret', position, message });
    }
    for (const name of type.names) {
      if (Object.hasOwn(secrets, name)) continue;
      refuse(reading, {
        code: 'unknown_secret',
        position,
        message: `the target has no secret \`${name}\``,
        hint:
          didYouMean(name, Object.keys(secrets)) ??
          `add it under \`credentials: { secrets: { ${name}: file:/run/secrets/… } }\``,
      });
    }
  }
}
