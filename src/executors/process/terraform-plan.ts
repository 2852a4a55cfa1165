/**
 * A plan of Terraform or OpenTofu, as `terraform show -json` writes it, brought down to what people
 * consent to: every resource that would change, and how. Values are left out: they may be secret.
 *
 * Format: https://developer.hashicorp.com/terraform/internals/json-format, `resource_changes`.
 */
import type { JsonObject, JsonValue } from '../../kernel/json/value.ts';
import { childOf, isJsonArray, isJsonObject } from '../pointer.ts';

/** What may be done to one resource. What only reads, or does nothing, is no change. */
const NO_CHANGE = new Set(['no-op', 'read']);
const CHANGES = new Set(['create', 'update', 'delete', 'forget']);

interface ResourceChange {
  readonly address: string;
  readonly actions: readonly string[];
}

/**
 * The material part: `adds`, `changes`, `destroys` and `resources` by address. A replacement is one
 * added and one destroyed. `undefined` where it is no plan, a failed one, or holds what is not known.
 */
export function planMaterial(answer: JsonValue): JsonObject | undefined {
  if (!isJsonObject(answer) || typeof answer['format_version'] !== 'string') return undefined;
  if (answer['errored'] === true) return undefined;
  // Of a plan without any change the member is left out.
  const listed = answer['resource_changes'] ?? [];
  if (!isJsonArray(listed)) return undefined;
  const resources: ResourceChange[] = [];
  for (const each of listed) {
    const read = readChange(each);
    if (read === undefined) return undefined;
    if (read.actions.length > 0) resources.push(read);
  }
  const count = (action: string): number =>
    resources.filter(({ actions }) => actions.includes(action)).length;
  return {
    adds: count('create'),
    changes: count('update'),
    destroys: count('delete'),
    resources: resources
      .toSorted((left, right) => (left.address < right.address ? -1 : 1))
      .map((each) => ({ ...each })),
  };
}

function readChange(value: JsonValue): ResourceChange | undefined {
  const [address, deposed] = [childOf(value, 'address'), childOf(value, 'deposed')];
  const listed = childOf(childOf(value, 'change'), 'actions');
  if (typeof address !== 'string' || !isJsonArray(listed)) return undefined;
  const actions: string[] = [];
  for (const action of listed) {
    if (typeof action !== 'string') return undefined;
    if (NO_CHANGE.has(action)) continue;
    // An action that is not known here could be the worst of them.
    if (!CHANGES.has(action)) return undefined;
    actions.push(action);
  }
  const which = typeof deposed === 'string' ? `${address} (deposed ${deposed})` : address;
  return { address: which, actions };
}
