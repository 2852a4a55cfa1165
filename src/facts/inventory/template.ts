/**
 * Templates: texts that name arguments. `$name`, `$name.minor`, `${name}` and `$executionId` in words,
 * fields and headers, `{name}` in paths of URLs, `$$` for a dollar. References are resolved against the
 * declared arguments at load, so that none can fail to be one when an action executes.
 */
import { didYouMean } from '../../kernel/did-you-mean.ts';
import type { DocumentNode } from '../../kernel/document.ts';
import type {
  ArgumentField,
  ArgumentFields,
  ArgumentType,
  BodyTemplate,
  Template,
  TemplatePart,
} from '../../kernel/inventory.ts';
import type { JsonValue } from '../../kernel/json/value.ts';
import { INVENTORY_LIMITS } from './limits.ts';
import { boundedEntries, type InventoryReading, refuse } from './reading.ts';

/** What the templates of one operation may name. */
export interface TemplateReading extends InventoryReading {
  readonly fields: ArgumentFields;
  /** Every name under `args:`, also of arguments that could not be read and are noted already. */
  readonly declared: ReadonlySet<string>;
  /** A read has no execution. */
  readonly execution: 'allowed' | 'refused';
  /** Where a value is only text, a secret is one whole value; a read takes none. */
  readonly secrets: 'whole' | 'refused';
}

const DOLLAR = /\$(?:(\$)|\{([^}]*)\}|([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*))?/gu;
const BRACES = /\{([^{}]*)\}|[{}]/gu;

/** A text with `$` references. */
function readTemplate(
  reading: TemplateReading,
  node: DocumentNode,
  what: string,
): Template | undefined {
  const text = reading.reader.string(node, what);
  return text === undefined ? undefined : parseTemplate(reading, text, node);
}

function parseTemplate(
  reading: TemplateReading,
  text: string,
  node: DocumentNode,
): Template | undefined {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of text.matchAll(DOLLAR)) {
    const [whole, dollar, braced, bare] = match;
    addLiteral(parts, text.slice(end, match.index));
    end = match.index + whole.length;
    if (dollar !== undefined) {
      addLiteral(parts, '$');
      continue;
    }
    const name = braced ?? bare;
    if (name === undefined) {
      return refuse(reading, {
        code: 'bad_template',
        position: node.position,
        message: 'a `$` names no argument',
        hint: 'write `$$` for a dollar',
      });
    }
    const part = readReference(reading, name, node);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  addLiteral(parts, text.slice(end));
  return parts.length === 0 ? [{ kind: 'literal', text: '' }] : parts;
}

/** A path of a URL with `{name}` references: each is one encoded segment, or part of one. */
export function parsePathTemplate(
  reading: TemplateReading,
  text: string,
  node: DocumentNode,
): Template | undefined {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of text.matchAll(BRACES)) {
    const [whole, name] = match;
    addLiteral(parts, text.slice(end, match.index));
    end = match.index + whole.length;
    if (name === undefined) {
      return refuse(reading, {
        code: 'bad_template',
        position: node.position,
        message: `a \`${whole}\` in the path names no argument`,
        hint: 'write `%7B` and `%7D` for braces',
      });
    }
    const part = readReference(reading, name, node);
    if (part === undefined) return undefined;
    if (part.kind === 'argument') requireGiven(reading, part.path, node);
    parts.push(part);
  }
  addLiteral(parts, text.slice(end));
  return requireText(reading, parts, node);
}

function addLiteral(parts: TemplatePart[], text: string): void {
  if (text === '') return;
  const last = parts.at(-1);
  if (last?.kind === 'literal')
    parts[parts.length - 1] = { kind: 'literal', text: last.text + text };
  else parts.push({ kind: 'literal', text });
}

// ---------------------------------------------------------------- references

function readReference(
  reading: TemplateReading,
  name: string,
  node: DocumentNode,
): TemplatePart | undefined {
  if (name === 'executionId') {
    if (reading.execution === 'allowed') return { kind: 'execution' };
    const message = '`executionId` is not known before the action executes';
    return refuse(reading, { code: 'bad_template', position: node.position, message });
  }
  const path = name.split('.');
  return resolve(reading, path, node) === undefined ? undefined : { kind: 'argument', path };
}

/** What a path leads to: a declared argument, or a part of an amount. */
function resolve(
  reading: TemplateReading,
  path: readonly string[],
  node: DocumentNode,
): ArgumentType | 'part' | undefined {
  let fields: ArgumentFields = reading.fields;
  let found: ArgumentField | undefined;
  for (const [index, name] of path.entries()) {
    if (found !== undefined && found.type.kind !== 'object') {
      const last = index === path.length - 1;
      if (last && found.type.kind === 'money' && isMoneyPart(name)) return 'part';
      return unknownPart(reading, { path, index, type: found.type, node });
    }
    found = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (found === undefined) return unknownArgument(reading, { path, index, fields, node });
    if (found.type.kind === 'object') ({ fields } = found.type);
  }
  return found?.type;
}

function isMoneyPart(name: string): boolean {
  return name === 'minor' || name === 'currency';
}

function unknownArgument(
  reading: TemplateReading,
  wrong: { path: readonly string[]; index: number; fields: ArgumentFields; node: DocumentNode },
): undefined {
  const { path, index, fields, node } = wrong;
  if (index === 0 && reading.declared.has(path[0] ?? '')) return undefined;
  const known = index === 0 ? [...Object.keys(fields), 'executionId'] : Object.keys(fields);
  return refuse(reading, {
    code: 'unknown_argument',
    position: node.position,
    message: `there is no argument \`${path.slice(0, index + 1).join('.')}\``,
    hint: didYouMean(path[index] ?? '', known) ?? 'declare it under `args:`',
  });
}

function unknownPart(
  reading: TemplateReading,
  wrong: { path: readonly string[]; index: number; type: ArgumentType; node: DocumentNode },
): undefined {
  const { path, index, type, node } = wrong;
  const name = path.slice(0, index).join('.');
  return refuse(reading, {
    code: 'unknown_argument',
    position: node.position,
    message: `\`${name}\` is of type ${type.kind} and has no part \`${path[index] ?? ''}\``,
    hint:
      type.kind === 'money'
        ? 'parts are `minor` and `currency`'
        : `write \`\${${name}}\` to end the name`,
  });
}

// ---------------------------------------------------------------- places

/** Notes every reference whose value has no text form: lists, objects and secrets. */
function requireText(
  reading: TemplateReading,
  template: Template | undefined,
  node: DocumentNode,
): Template | undefined {
  for (const part of template ?? []) {
    if (part.kind !== 'argument') continue;
    const type = resolve(reading, part.path, node);
    if (type === undefined || type === 'part') continue;
    if (type.kind === 'secret') return misplacedSecret(reading, part.path, node);
    if (type.kind !== 'array' && type.kind !== 'object') continue;
    const message = `\`${part.path.join('.')}\` is of type ${type.kind} and cannot be written as text`;
    return refuse(reading, { code: 'argument_without_text', position: node.position, message });
  }
  return template;
}

/** Whether a template is one whole secret. */
export function isSecret({ fields }: TemplateReading, template: Template | undefined): boolean {
  const [only] = template ?? [];
  if (template?.length !== 1 || only?.kind !== 'argument') return false;
  const [name = '', ...more] = only.path;
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return field?.type.kind === 'secret' && more.length === 0;
}

/** A secret in a path or a word would show in logs and lists that nobody masks. */
function misplacedSecret(
  reading: TemplateReading,
  path: readonly string[],
  { position }: DocumentNode,
): undefined {
  return refuse(reading, {
    code: 'misplaced_secret',
    position,
    message: `\`${path.join('.')}\` is a secret and cannot stand here`,
    hint: 'a secret is one whole value of `json`, `form`, `headers` or `query`, or of the `env` of a program',
  });
}

/** Whether the argument may be left out, itself or with the object it is in. */
function isOptional(reading: TemplateReading, path: readonly string[]): boolean {
  let { fields } = reading;
  for (const name of path) {
    const field: ArgumentField | undefined = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) return false;
    if (field.optional) return true;
    if (field.type.kind !== 'object') return false;
    ({ fields } = field.type);
  }
  return false;
}

function requireGiven(reading: TemplateReading, path: readonly string[], node: DocumentNode): void {
  if (!isOptional(reading, path)) return;
  refuse(reading, {
    code: 'optional_argument',
    position: node.position,
    message: `\`${path.join('.')}\` may be left out, and something must stand here`,
    hint: 'make the argument required',
  });
}

/** One word of a program: a text. A word that is nothing but an argument needs one that is always given. */
export function readWord(reading: TemplateReading, node: DocumentNode): Template | undefined {
  const template = requireText(reading, readTemplate(reading, node, 'run'), node);
  const [first] = template ?? [];
  // With a literal before it, as in `--note=$note`, the whole word is left out.
  if (first?.kind === 'argument') requireGiven(reading, first.path, node);
  return template;
}

/** A text of which every argument is always given, such as a path of a file. */
export function readGivenText(
  reading: TemplateReading,
  node: DocumentNode,
  what: string,
): Template | undefined {
  const template = requireText(reading, readTemplate(reading, node, what), node);
  for (const part of template ?? []) {
    if (part.kind === 'argument') requireGiven(reading, part.path, node);
  }
  return template;
}

/** Names with templates: a query, a form, headers, variables. */
export function readTemplates(
  reading: TemplateReading,
  node: DocumentNode | undefined,
  limit: { readonly what: string; readonly max: number },
): Readonly<Record<string, Template>> {
  const templates: Record<string, Template> = Object.create(null);
  for (const { key, value } of boundedEntries(reading, node, limit)) {
    const template = readTemplate(reading, textNode(value), key);
    const text =
      reading.secrets === 'whole' && isSecret(reading, template)
        ? template
        : requireText(reading, template, value);
    if (text !== undefined) templates[key] = text;
  }
  return templates;
}

/** In a query or a form everything is text, so `expand: 3` and `live: true` are what they look like. */
function textNode(node: DocumentNode): DocumentNode {
  if (node.kind !== 'scalar' || node.value === null) return node;
  return { ...node, value: node.text };
}

// ---------------------------------------------------------------- JSON bodies

/** A JSON body; its texts are templates, everything else stands for itself. */
export function readBody(reading: TemplateReading, node: DocumentNode): BodyTemplate | undefined {
  switch (node.kind) {
    case 'sequence': {
      const items = node.items.map((item) => readBody(reading, item));
      return { kind: 'array', items: items.filter((item) => item !== undefined) };
    }
    case 'mapping': {
      const members: Record<string, BodyTemplate> = Object.create(null);
      const limit = { what: 'json', max: INVENTORY_LIMITS.fieldsMax };
      for (const { key, value } of boundedEntries(reading, node, limit)) {
        const member = readBody(reading, value);
        if (member !== undefined) members[key] = member;
      }
      return { kind: 'object', members };
    }
    case 'scalar':
      return readLeaf(reading, node);
    default:
      return node satisfies never;
  }
}

function readLeaf(
  reading: TemplateReading,
  node: Extract<DocumentNode, { readonly kind: 'scalar' }>,
): BodyTemplate | undefined {
  if (typeof node.value === 'string') {
    const template = parseTemplate(reading, node.value, node);
    const [only] = template ?? [];
    if (template === undefined || only === undefined) return undefined;
    if (template.length > 1) {
      const text = requireText(reading, template, node);
      return text === undefined ? undefined : { kind: 'template', template: text };
    }
    if (only.kind === 'literal') return { kind: 'constant', value: only.text };
    return { kind: 'template', template };
  }
  const value = constantOf(node.value);
  if (value !== undefined) return { kind: 'constant', value };
  return refuse(reading, {
    code: 'bad_number',
    position: node.position,
    message: `\`${node.text}\` is no number that JSON carries exactly`,
    hint: 'quote it to send it as a text',
  });
}

function constantOf(value: boolean | bigint | number | null): JsonValue | undefined {
  if (value === null || typeof value === 'boolean') return value;
  const number = Number(value);
  if (typeof value === 'bigint') return Number.isSafeInteger(number) ? number : undefined;
  return Object.is(number, -0) ? undefined : number;
}
