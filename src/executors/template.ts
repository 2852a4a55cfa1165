/**
 * Templates become words, paths, fields, headers and JSON leaves here. A value is bound by its type
 * and encoded for its place, never pasted, so no argument can become another word, another segment,
 * another header or another member.
 */
import type {
  ArgumentFields,
  ArgumentType,
  BodyTemplate,
  Template,
  TemplatePart,
} from '../kernel/inventory.ts';
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import { isJsonObject } from './pointer.ts';
import { refuse } from './refusal.ts';

/** Stands for the execution's id in a compiled effect; no argument may hold it. */
export const EXECUTION_PLACEHOLDER = '‹executionId›';

/** The longest word of an argv in bytes, which is Linux's own limit. */
const WORD_BYTES_MAX = 131_071;
/** The longest value of a variable in bytes: Linux bounds it together with the name and `=`. */
const VARIABLE_BYTES_MAX = 130_000;

/** What a template is rendered with. `execution` is the placeholder while the effect is compiled. */
export interface TemplateValues {
  readonly args: JsonObject;
  readonly fields: ArgumentFields;
  readonly execution: string;
  /** What stands for secrets; where there is none, no secret has a text. */
  readonly secrets?: SecretTexts;
  /** What stands for a blob of this name: its placeholder, or the path of a copy of it. */
  readonly blob?: (name: string) => string;
}

/** What stands for secrets by their names: their placeholders, or in the instant of sending their values. */
export interface SecretTexts {
  readonly kind: 'placeholders' | 'values';
  readonly text: (name: string) => string;
}

/** What stands for a blob in a compiled effect: its digest, and not where a copy of it lies. */
export function blobPlaceholder(name: string): string {
  return `‹blob:${name}›`;
}

/**
 * One word of an argv, or `undefined` where a word such as `--note=$note` names an absent optional
 * argument. A word that is nothing but an absent argument is refused: leaving it out would move the
 * words after it.
 */
export function renderWord(template: Template, values: TemplateValues): string | undefined {
  const [first] = template;
  const prefixed = first?.kind === 'literal' && first.text !== '';
  if (missingArgument(template, values) !== undefined && prefixed) return undefined;
  const word = renderText(template, values);
  if (word.includes('\0')) {
    refuse('argument_has_control_character', 'a word of a program cannot hold a zero character');
  }
  if (!prefixed && word.startsWith('-')) {
    refuse('argument_looks_like_option', 'an argument that begins a word begins with a hyphen');
  }
  if (Buffer.byteLength(word, 'utf8') > WORD_BYTES_MAX) {
    refuse('argument_too_large', 'a word of a program is too long');
  }
  return word;
}

/** A path: literal text as it is, each argument as one encoded segment or part of one. */
export function renderPath(template: Template, values: TemplateValues): string {
  return template
    .map((part) => (part.kind === 'literal' ? part.text : segment(partText(part, values))))
    .join('');
}

function segment(text: string): string {
  const parts = text.split(/[/\\]/u);
  // Encoded slashes are decoded again by some servers before they look for dots.
  if (text === '' || parts.includes('.') || parts.includes('..')) {
    refuse('argument_not_a_segment', 'a path segment cannot be empty, `.` or `..`');
  }
  if (hasControl(text)) {
    refuse('argument_has_control_character', 'a path segment cannot hold a control character');
  }
  return encodeURIComponent(text);
}

/**
 * Names and values for a query or a form, in their declared order and not yet encoded. A member that
 * names an absent optional argument is left out.
 */
export function renderFields(
  templates: Readonly<Record<string, Template>>,
  values: TemplateValues,
): readonly (readonly [string, string])[] {
  return Object.entries(templates).flatMap(([name, template]) =>
    missingArgument(template, values) === undefined
      ? [[name, wholeSecret(template, values) ?? renderText(template, values)] as const]
      : [],
  );
}

/** A header's value: visible ASCII and single spaces between, so that no reader can end it early. */
export function renderHeader(template: Template, values: TemplateValues): string | undefined {
  if (missingArgument(template, values) !== undefined) return undefined;
  const secret = wholeSecret(template, values);
  // It never leaves; what takes its place is checked before anything is sent.
  if (secret !== undefined && values.secrets?.kind === 'placeholders') return secret;
  const text = secret ?? renderText(template, values);
  if (hasControl(text)) {
    refuse('argument_has_control_character', 'a header cannot hold a control character');
  }
  // The placeholder is no ASCII text; it never leaves, and the id that takes its place is.
  const visible = text.replaceAll(EXECUTION_PLACEHOLDER, '-');
  if (!/^[\x20-\x7e]*$/u.test(visible) || visible.trim() !== visible) {
    refuse('argument_not_header_text', 'a header holds only ascii text without outer spaces');
  }
  return text;
}

/** The value of a variable of a program, or `undefined` where it names an absent optional argument. */
export function renderVariable(template: Template, values: TemplateValues): string | undefined {
  if (missingArgument(template, values) !== undefined) return undefined;
  const text = wholeSecret(template, values) ?? renderText(template, values);
  if (text.includes('\0')) {
    refuse(
      'argument_has_control_character',
      'a variable of a program cannot hold a zero character',
    );
  }
  if (Buffer.byteLength(text, 'utf8') > VARIABLE_BYTES_MAX) {
    refuse('argument_too_large', 'a variable of a program is too long');
  }
  return text;
}

/**
 * A JSON body. A leaf that is one whole argument keeps its JSON type, and `.minor` of an amount is an
 * integer; an object's member that names an absent optional argument is left out.
 */
export function renderBody(body: BodyTemplate, values: TemplateValues): JsonValue {
  switch (body.kind) {
    case 'constant':
      return body.value;
    case 'template':
      return renderLeaf(body.template, values);
    case 'array':
      return body.items.map((item) => renderBody(item, values));
    case 'object':
      return renderMembers(body.members, values);
    default:
      return body satisfies never;
  }
}

function renderMembers(
  members: Readonly<Record<string, BodyTemplate>>,
  values: TemplateValues,
): JsonObject {
  const rendered: Record<string, JsonValue> = Object.setPrototypeOf({}, null);
  for (const [name, member] of Object.entries(members)) {
    const absent =
      member.kind === 'template' && missingArgument(member.template, values) !== undefined;
    if (!absent) rendered[name] = renderBody(member, values);
  }
  return rendered;
}

function renderLeaf(template: Template, values: TemplateValues): JsonValue {
  const [only] = template;
  if (template.length !== 1 || only?.kind !== 'argument') return renderText(template, values);
  const { value, type, part } = lookUp(only.path, values);
  if (value === undefined) return missing(only.path);
  if (part === 'minor' && type?.kind === 'money') {
    const minor = Number(minorUnits(value, type.minorDigits));
    if (!Number.isSafeInteger(minor)) {
      refuse('argument_too_large', 'the amount is beyond the integers of json');
    }
    return minor;
  }
  if (part !== undefined) return partText(only, values);
  if (type?.kind === 'secret') return secretText(only.path, value, values);
  if (type?.kind === 'blob') return blobText(only.path, value, values);
  refusePlaceholder(value);
  return value;
}

/** The text of a template that is one whole secret; of every other, nothing. */
function wholeSecret(template: Template, values: TemplateValues): string | undefined {
  const [only] = template;
  if (template.length !== 1 || only?.kind !== 'argument') return undefined;
  const { value, type, part } = lookUp(only.path, values);
  if (type?.kind !== 'secret' || part !== undefined || value === undefined) return undefined;
  return secretText(only.path, value, values);
}

function secretText(
  path: readonly string[],
  value: JsonValue,
  { secrets }: TemplateValues,
): string {
  if (secrets === undefined || typeof value !== 'string') return misplacedSecret(path);
  return secrets.text(value);
}

function blobText(path: readonly string[], value: JsonValue, { blob }: TemplateValues): string {
  if (blob !== undefined && typeof value === 'string') return blob(value);
  return refuse(
    'argument_not_text',
    `argument \`${path.join('.')}\` is a blob and has no text here`,
  );
}

function misplacedSecret(path: readonly string[]): never {
  return refuse(
    'argument_not_text',
    `argument \`${path.join('.')}\` is a secret and has no text here`,
  );
}

// ---------------------------------------------------------------- text

/** Joins literals and the text of arguments, without any encoding. */
export function renderText(template: Template, values: TemplateValues): string {
  return template
    .map((part) => (part.kind === 'literal' ? part.text : partText(part, values)))
    .join('');
}

function partText(
  part: Exclude<TemplatePart, { readonly kind: 'literal' }>,
  values: TemplateValues,
): string {
  if (part.kind === 'execution') return values.execution;
  const found = lookUp(part.path, values);
  if (found.value === undefined) return missing(part.path);
  if (found.part !== undefined) return moneyPart(part.path, found.part, found);
  if (found.type?.kind === 'secret') return misplacedSecret(part.path);
  if (found.type?.kind === 'blob') return blobText(part.path, found.value, values);
  refusePlaceholder(found.value);
  if (typeof found.value === 'object') {
    return refuse('argument_not_text', `argument \`${part.path.join('.')}\` has no text form`);
  }
  return String(found.value);
}

function moneyPart(path: readonly string[], part: string, found: Found): string {
  if (found.type?.kind === 'money' && found.value !== undefined) {
    if (part === 'minor') return minorUnits(found.value, found.type.minorDigits);
    if (part === 'currency') return found.type.currency;
  }
  return refuse('argument_part_unknown', `argument \`${path.join('.')}\` has no part \`${part}\``);
}

/** The whole number of minor units in a decimal string such as `49.90`, exactly. */
function minorUnits(value: JsonValue, minorDigits: number): string {
  const match = typeof value === 'string' ? /^(-?)(\d+)(?:\.(\d+))?$/u.exec(value) : null;
  const [, sign = '', whole = '', fraction = ''] = match ?? [];
  const rest = fraction.slice(minorDigits);
  if (match === null || /[1-9]/u.test(rest)) {
    refuse('argument_not_minor_units', 'the amount is no whole number of minor units');
  }
  return String(
    BigInt(`${sign}${whole}${fraction.slice(0, minorDigits).padEnd(minorDigits, '0')}`),
  );
}

interface Found {
  readonly value: JsonValue | undefined;
  readonly type: ArgumentType | undefined;
  /** What is asked of the value itself, such as `minor`. */
  readonly part: string | undefined;
}

/** Follows a path through nested object arguments; a last step below one that is no object is a part of it. */
function lookUp(path: readonly string[], values: TemplateValues): Found {
  let fields: ArgumentFields | undefined = values.fields;
  let value: JsonValue | undefined = values.args;
  let type: ArgumentType | undefined;
  for (const [index, name] of path.entries()) {
    if (fields === undefined) {
      if (index !== path.length - 1) unknownPart(path);
      return { value, type, part: name };
    }
    const field: ArgumentFields[string] | undefined = Object.hasOwn(fields, name)
      ? fields[name]
      : undefined;
    if (field === undefined) return unknownPart(path);
    type = field.type;
    value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
    fields = type.kind === 'object' ? type.fields : undefined;
  }
  return { value, type, part: undefined };
}

function unknownPart(path: readonly string[]): never {
  return refuse('argument_part_unknown', `there is no argument \`${path.join('.')}\``);
}

/** The first argument that the template names and the action leaves out. */
function missingArgument(template: Template, values: TemplateValues): string | undefined {
  for (const part of template) {
    if (part.kind === 'argument' && lookUp(part.path, values).value === undefined) {
      return part.path.join('.');
    }
  }
  return undefined;
}

function missing(path: readonly string[]): never {
  return refuse('argument_missing', `argument \`${path.join('.')}\` is needed here`);
}

/** INVARIANT: in a compiled effect the placeholder stands for the execution's id and for nothing else. */
function refusePlaceholder(value: JsonValue): void {
  if (typeof value === 'string') {
    if (value.includes(EXECUTION_PLACEHOLDER)) {
      refuse('argument_holds_placeholder', 'an argument holds the text that stands for the id');
    }
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const parts = Array.isArray(value) ? value : Object.entries(value).flat();
  for (const part of parts) refusePlaceholder(part);
}

function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
