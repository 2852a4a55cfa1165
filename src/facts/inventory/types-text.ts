/** The inventory as TypeScript types, so that a policy or an agent written in it names only what is there. */
import type {
  ArgumentFields,
  ArgumentType,
  Inventory,
  Operation,
  Target,
} from '../../kernel/inventory.ts';

const HEADER = `// Written by \`exequatur inventory types\`; run it again when the inventory changes.
`;

/** The text of a module that exports the type \`Inventory\`; the same for the same inventory. */
export function inventoryTypes(inventory: Inventory): string {
  const targets = sorted(inventory.targets).map(([name, target]) =>
    member(name, targetText(target)),
  );
  return `${HEADER}
/** Every target with its operations. */
export interface Inventory ${block([member('targets', block(targets))])}
`;
}

function targetText(target: Target): string {
  const environments = new Set([
    target.environment,
    ...Object.values(target.probe?.environment?.values ?? {}),
  ]);
  const labels = Object.entries(target.labels).map(([name, value]) => member(name, quoted(value)));
  const operations = sorted(target.operations).map(([name, operation]) =>
    member(name, operationText(operation)),
  );
  return block([
    member('environment', [...environments].toSorted().map(quoted).join(' | ')),
    member('owner', target.owner === undefined ? 'never' : quoted(target.owner)),
    member('labels', block(labels)),
    member('operations', block(operations)),
  ]);
}

function operationText({ kind, precondition, arguments: fields, measures }: Operation): string {
  return block([
    member('kind', quoted(kind)),
    member('class', quoted(precondition)),
    member('args', fieldsText(fields)),
    member('measures', Object.keys(measures).toSorted().map(quoted).join(' | ') || 'never'),
  ]);
}

function fieldsText(fields: ArgumentFields): string {
  return block(
    Object.entries(fields).map(([name, { type, optional }]) =>
      member(name, argumentText(type), optional),
    ),
  );
}

/** As the value travels in JSON: exact numbers and instants are texts. */
function argumentText(type: ArgumentType): string {
  switch (type.kind) {
    case 'boolean':
      return 'boolean';
    case 'integer':
      return 'number | string';
    case 'enum':
      return type.values.map(quoted).join(' | ');
    case 'secret':
      return type.names.map(quoted).join(' | ');
    case 'array':
      return `readonly (${argumentText(type.items)})[]`;
    case 'object':
      return fieldsText(type.fields);
    case 'string':
    case 'decimal':
    case 'money':
    case 'date':
    case 'instant':
    case 'duration':
    case 'path':
    case 'url':
    case 'oci-digest':
    case 'blob':
      return 'string';
    default:
      return type satisfies never;
  }
}

function member(name: string, text: string, optional = false): string {
  const key = /^[A-Za-z_][A-Za-z0-9_]*$/u.test(name) ? name : quoted(name);
  return `readonly ${key}${optional ? '?' : ''}: ${text};`;
}

function block(members: readonly string[]): string {
  if (members.length === 0) return 'Readonly<Record<string, never>>';
  const lines = members.flatMap((each) => each.split('\n')).map((line) => `  ${line}`);
  return `{\n${lines.join('\n')}\n}`;
}

function sorted<Item>(items: ReadonlyMap<string, Item>): readonly (readonly [string, Item])[] {
  return [...items].toSorted(([left], [right]) => (left < right ? -1 : 1));
}

/** A literal in single quotes; what could end the line or the text is escaped. */
function quoted(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll(`\\"`, '"').replaceAll("'", "\\'");
  return `'${escaped.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`;
}
