/** What the schemas of several documents share. Editors use them; the loader itself reads more strictly. */

/** A JSON Schema of the 2020-12 draft, as far as the documents need it. */
export type Schema = Readonly<Record<string, unknown>>;

/** A text that is not empty. */
export const TEXT: Schema = { type: 'string', minLength: 1 };

/** 1 to 64 of a-z, 0-9, dot, underscore and hyphen. */
export const NAME: Schema = {
  type: 'string',
  pattern: '^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$',
};

/** `90s`, `1h30m`, `0s`; a plain zero is one too. */
export const DURATION: Schema = {
  anyOf: [
    {
      type: 'string',
      pattern: '^(?:0|(?=\\d)(?:\\d+d)?(?:\\d+h)?(?:\\d+m)?(?:\\d+s)?(?:\\d+ms)?)$',
    },
    { const: 0 },
  ],
  description: 'A number with a unit: 250ms, 90s, 15m, 1h30m, 7d.',
};

/** An expression; YAML may read it as something else than a text. */
export const CEL: Schema = {
  type: ['string', 'boolean', 'number'],
  description: 'An expression of CEL, type-checked when the document is loaded.',
};

/** A mapping with exactly these members. */
export function members(
  properties: Readonly<Record<string, Schema>>,
  ...required: readonly string[]
): Schema {
  return {
    type: 'object',
    properties,
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

/** A mapping by names that the user gives. */
export function byName(value: Schema, names: Schema = NAME): Schema {
  return { type: 'object', propertyNames: names, additionalProperties: value };
}

/** One, or a list of at least one. */
export function oneOrMore(item: Schema): Schema {
  return { anyOf: [item, { type: 'array', items: item, minItems: 1 }] };
}

/** One of these. */
export function anyOf(...schemas: readonly Schema[]): Schema {
  return { anyOf: schemas };
}

/** The schema with a sentence for whoever points at the key. */
export function described(description: string, schema: Schema): Schema {
  return { ...schema, description };
}

/** A reference to a definition of the same document. */
export function ref(name: string): Schema {
  return { $ref: `#/$defs/${name}` };
}

/** A whole document. */
export function documentSchema(
  name: string,
  { title, ...schema }: Schema & { readonly title: string },
): Schema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `https://unpkg.com/exequatur/schemas/${name}.json`,
    title,
    ...schema,
  };
}
