/** What exit codes and statuses mean where the operation says otherwise than the defaults. */
import type { DocumentNode } from '../../kernel/document.ts';
import type { ProcessOperation } from '../../kernel/inventory.ts';
import { INVENTORY_LIMITS } from './limits.ts';
import { boundedEntries, type InventoryReading, refuse } from './reading.ts';

/** How an execution can end. */
type OutcomeWord = ProcessOperation['exits'][string];

const WORDS: readonly OutcomeWord[] = ['succeeded', 'failed', 'not_executed', 'unknown'];

/** Codes with their outcomes, such as `{ 0: succeeded, 3: not_executed }`. */
export function readOutcomes(
  reading: InventoryReading,
  node: DocumentNode | undefined,
  codes: { readonly what: string; readonly pattern: RegExp; readonly hint: string },
): Readonly<Record<string, OutcomeWord>> {
  const outcomes: Record<string, OutcomeWord> = Object.create(null);
  const limit = { what: codes.what, max: INVENTORY_LIMITS.fieldsMax };
  for (const { key, keyPosition, value } of boundedEntries(reading, node, limit)) {
    const outcome = reading.reader.oneOf(value, `${codes.what} ${key}`, WORDS);
    if (!codes.pattern.test(key)) {
      const message = `\`${key}\` cannot stand in ${codes.what}`;
      refuse(reading, { code: 'bad_outcome', position: keyPosition, message, hint: codes.hint });
    } else if (outcome !== undefined) outcomes[key] = outcome;
  }
  return outcomes;
}
