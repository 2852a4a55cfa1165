/** Names of arguments, operations and targets out of names that other systems gave. */

const RESERVED: ReadonlySet<string> = new Set(['executionId', 'true', 'false', 'null', 'in']);

/** Whether a wire name is one that an argument can have. */
export function isArgumentName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_]{0,63}$/u.test(name) && !RESERVED.has(name);
}

/** A name that no JSON object of the layer has. */
export function isForbidden(wire: string): boolean {
  return wire === '__proto__';
}

/** What a name is made of; a longer one says no more. */
const WIRE_LENGTH_READ = 1000;

/** An argument's name that is not taken yet: `metadata[order id]` gives `metadata_order_id`. */
export function argumentName(wire: string, taken: ReadonlySet<string>): string {
  const plain = wire
    .slice(0, WIRE_LENGTH_READ)
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9_]+/gu, '_')
    .replaceAll(/^[_\d]+|_+$/gu, '');
  const base = isArgumentName(plain.slice(0, 60))
    ? plain.slice(0, 60)
    : `arg_${plain.slice(0, 56)}`;
  return unused(isArgumentName(base) ? base : 'arg', '_', taken);
}

/** A name for a target or an operation: `createRefund` gives `create-refund`. */
export function plainName(text: string, taken: ReadonlySet<string>): string {
  const words = wordsOf(text).join('-');
  const base = words.slice(0, 56).replaceAll(/^-+|-+$/gu, '');
  return unused(base === '' ? 'unnamed' : base, '-', taken);
}

function unused(base: string, separator: string, taken: ReadonlySet<string>): string {
  let name = base;
  for (let count = 2; taken.has(name); count += 1) name = `${base}${separator}${String(count)}`;
  return name;
}

/** The words of an identifier or a path, in lower case. */
export function wordsOf(text: string): readonly string[] {
  return text
    .normalize('NFKD')
    .replaceAll(/([a-z0-9])([A-Z])/gu, '$1 $2')
    .split(/[^A-Za-z0-9]+/u)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
}
