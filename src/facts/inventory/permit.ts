/** Targets whose executor lies elsewhere: for whom permits are made, and how long each has. */
import type { DocumentNode } from '../../kernel/document.ts';
import type { PermitTarget } from '../../kernel/inventory.ts';
import { INVENTORY_DEFAULTS, INVENTORY_LIMITS } from './limits.ts';
import type { InventoryReading } from './reading.ts';

/** Reads `{ audience: robot-cell, validFor: 60s, settleWithin: 5m }`. */
export function readPermitTarget(
  reading: InventoryReading,
  node: DocumentNode,
): PermitTarget | undefined {
  const { reader } = reading;
  const members = reader.mapping(node, {
    what: 'permit',
    required: ['audience'],
    optional: ['validFor', 'settleWithin'],
  });
  const audienceNode = members?.get('audience');
  const audience = audienceNode === undefined ? undefined : reader.name(audienceNode, 'audience');
  const duration = (key: 'validFor' | 'settleWithin', max: number): number | undefined => {
    const value = members?.get(key);
    return value === undefined ? undefined : reader.duration(value, key, { min: 1000, max });
  };
  const validForMs = duration('validFor', INVENTORY_LIMITS.permitValidForMsMax);
  const settleWithinMs = duration('settleWithin', INVENTORY_LIMITS.permitSettleWithinMsMax);
  if (audience === undefined) return undefined;
  return {
    kind: 'permit',
    audience,
    validForMs: validForMs ?? INVENTORY_DEFAULTS.permitValidForMs,
    settleWithinMs: settleWithinMs ?? INVENTORY_DEFAULTS.permitSettleWithinMs,
  };
}
