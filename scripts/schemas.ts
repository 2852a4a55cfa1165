/**
 * Writes the JSON Schemas in schemas/, which editors complete and check the layer's files by.
 *
 * `node scripts/schemas.ts` writes them; a test holds that they are current.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { CONFIGURATION } from './schemas/configuration.ts';
import { INVENTORY, INVENTORY_LOCK } from './schemas/inventory.ts';
import type { Schema } from './schemas/parts.ts';
import { POLICY, POLICY_TEST } from './schemas/policy.ts';

/** Where they stand. */
export const SCHEMAS_DIRECTORY: string = fileURLToPath(new URL('../schemas', import.meta.url));

/** By name of the file, without its ending. */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  configuration: CONFIGURATION,
  inventory: INVENTORY,
  'inventory-lock': INVENTORY_LOCK,
  policy: POLICY,
  'policy-test': POLICY_TEST,
};

/** The text of one, as it should be. */
export async function schemaText(schema: Schema): Promise<string> {
  const style = (await resolveConfig(join(SCHEMAS_DIRECTORY, 'policy.json'))) ?? {};
  return format(JSON.stringify(schema), { ...style, parser: 'json' });
}

if (import.meta.main) {
  mkdirSync(SCHEMAS_DIRECTORY, { recursive: true });
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    writeFileSync(join(SCHEMAS_DIRECTORY, `${name}.json`), await schemaText(schema));
  }
}
