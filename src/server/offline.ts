/** What the files on disk say in other forms: the inventory as types, a policy of TypeScript as YAML. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type {
  InventoryTypesOptions,
  PolicyPrinted,
  PolicyPrintOptions,
  TypesWritten,
} from '../cli/server-door.ts';
import { inventoryTypes as typesOf } from '../facts/inventory/types-text.ts';
import type { Problem } from '../kernel/document.ts';
import { documentOf } from '../kernel/document-reader.ts';
import { toYaml } from '../sdk/policy.ts';
import { readConfiguration } from './configuration.ts';
import { loadInventory } from './loading.ts';
import { documentProblem, hasErrors } from './problems.ts';

/** The inventory as TypeScript types. */
export async function inventoryTypes(options: InventoryTypesOptions): Promise<TypesWritten> {
  const { directory } = options;
  const told = (problems: readonly Problem[]): TypesWritten['problems'] =>
    problems.map((problem) => documentProblem(problem, directory));
  let path = options.inventory === undefined ? undefined : resolve(directory, options.inventory);
  if (path === undefined) {
    const { configuration, problems } = await readConfiguration(resolve(directory, options.config));
    if (configuration === undefined) return { text: undefined, problems: told(problems) };
    path = configuration.inventory;
  }
  const { inventory, problems } = await loadInventory(path);
  const isUsable = inventory !== undefined && !hasErrors(problems);
  return { text: isUsable ? typesOf(inventory) : undefined, problems: told(problems) };
}

/**
 * The document that a TypeScript or JavaScript file exports as `policy`. The file is code of whoever
 * writes the policy, and is run with the rights of whoever types the command; a layer never runs it.
 */
export async function policyPrint({ directory, file }: PolicyPrintOptions): Promise<PolicyPrinted> {
  const path = resolve(directory, file);
  if (!existsSync(path)) {
    return { text: undefined, code: 'file_not_found', message: `there is no file \`${file}\`` };
  }
  let exported: { readonly policy?: unknown };
  try {
    exported = await import(pathToFileURL(path).href);
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { text: undefined, code: 'policy_not_loaded', message: line };
  }
  const { policy } = exported;
  if (typeof policy !== 'object' || policy === null) {
    const message = `\`${file}\` exports no \`policy\``;
    return { text: undefined, code: 'policy_not_exported', message };
  }
  try {
    documentOf(policy, file);
    // A document of nothing but plain values is what JSON can hold.
    return { text: toYaml(JSON.parse(JSON.stringify(policy))) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { text: undefined, code: 'policy_not_plain', message };
  }
}
