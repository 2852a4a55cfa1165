/** Argument types from one sample value: what it looks like, and never the value itself. */
import { IMPORT_LIMITS, short, type DraftField, type DraftType } from './draft.ts';
import { isArgumentName } from './names.ts';
import { isMembers, type Typed } from './schema.ts';

/** The type that a JSON value has. */
export function typeOfSample(value: unknown, depth = 0): Typed {
  if (typeof value === 'boolean') return guessed(short('boolean'));
  if (typeof value === 'number')
    return guessed(short(Number.isSafeInteger(value) ? 'integer' : 'decimal'));
  if (typeof value === 'string') return typeOfText(value);
  if (depth >= IMPORT_LIMITS.depthMax) return text('nested too deep');
  if (Array.isArray(value)) {
    const [first] = value;
    if (first === undefined) return text('an empty list');
    return guessed({ kind: 'list', items: typeOfSample(first, depth + 1).type });
  }
  if (isMembers(value)) return typeOfObject(value, depth);
  return text('nothing was given');
}

function typeOfObject(value: Readonly<Record<string, unknown>>, depth: number): Typed {
  const names = Object.keys(value);
  if (
    names.length === 0 ||
    names.length > IMPORT_LIMITS.argumentsMax ||
    !names.every(isArgumentName)
  ) {
    return text('an object whose members have no such names');
  }
  const fields: readonly DraftField[] = names.map((name) => ({
    name,
    type: typeOfSample(value[name], depth + 1).type,
    optional: false,
    comments: [],
  }));
  return guessed({ kind: 'object', fields });
}

/** The type of a text, as it stands in a query or a form. */
export function typeOfText(value: string): Typed {
  if (/^\d{4}-\d\d-\d\d$/u.test(value)) return guessed(short('date'));
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/u.test(value))
    return guessed(short('instant'));
  return guessed(short('string'));
}

/** The type of a text that may be a number. */
export function typeOfField(value: string): Typed {
  if (/^(?:0|-?[1-9]\d{0,14})$/u.test(value)) return guessed(short('integer'));
  if (/^(?:true|false)$/u.test(value)) return guessed(short('boolean'));
  return typeOfText(value);
}

function guessed(type: DraftType): Typed {
  return { type, comments: ['guessed from one example'] };
}

function text(why: string): Typed {
  return { type: short('string(1000)'), comments: [`guessed: a text, for ${why}`] };
}
