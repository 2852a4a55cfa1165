/**
 * Drafts as YAML with comments that teach. UNTRUSTED: every text in a draft is somebody else's; nothing
 * of it ends a line, a quote or a comment.
 */
import { schemaLine } from '../../document/schema-line.ts';
import {
  IMPORT_LIMITS,
  refuseImport,
  type DraftField,
  type DraftOperation,
  type DraftPlace,
  type DraftTarget,
  type DraftType,
} from './draft.ts';
import { MEASURES_HINT } from './guess-kind.ts';

/** The inventory of these targets; `origin` says in a comment what it was made from. */
export function writeDraft(targets: readonly DraftTarget[], origin: string): string {
  const lines = [
    schemaLine('inventory'),
    'version: 1',
    'targets:',
    comment('  ', `Made from ${origin}. Read all of it before a layer does: what is marked`),
    comment('  ', '`guessed` is only a guess, and an agent can do whatever stands here.'),
    comment('  ', 'A target is production unless `environment:` says otherwise.'),
    ...targets.flatMap(targetLines),
  ];
  const text = `${lines.join('\n')}\n`;
  if (text.length > IMPORT_LIMITS.textLengthMax) {
    const limit = String(IMPORT_LIMITS.textLengthMax);
    refuseImport('draft_too_large', `the inventory would have more than ${limit} characters`);
  }
  return text;
}

function targetLines(target: DraftTarget): readonly string[] {
  const { name, url, auth, operations } = target;
  const http =
    auth === 'none'
      ? `    http: { url: ${scalar(url)} }`
      : `    http: { url: ${scalar(url)}, auth: ${auth} }`;
  const credentials = [
    comment('    ', 'Put the secrets into these files: `act` performs, `look` cannot write.'),
    `    credentials: { act: file:/run/secrets/${name}, look: file:/run/secrets/${name}-read }`,
  ];
  return [
    `  ${name}:`,
    ...target.comments.map((each) => comment('    ', each)),
    http,
    ...(auth === 'none' ? [] : credentials),
    comment('    ', 'probe: { GET: /…, field: /id } says how the system tells who it is.'),
    '    operations:',
    ...operations.flatMap(operationLines),
  ];
}

function operationLines(operation: DraftOperation): readonly string[] {
  const { name, kind, kindReason, summary, comments } = operation;
  const hint = MEASURES_HINT[kind];
  return [
    `      ${name}:`,
    ...(summary === undefined ? [] : [comment('        ', summary)]),
    ...comments.map((each) => comment('        ', each)),
    `        kind: ${kind} ${comment('', `guessed: ${kindReason}`)}`,
    ...argumentLines(operation.arguments),
    ...requestLines(operation),
    ...(hint === undefined ? [] : [comment('        ', `for rules: ${hint}`)]),
  ];
}

function argumentLines(fields: readonly DraftField[]): readonly string[] {
  if (fields.length === 0) return [];
  return [
    '        args:',
    ...fields.map((field) => `          ${fieldText(field)}${noteOf(field)}`),
  ];
}

function noteOf(field: DraftField): string {
  const notes = notesIn(field);
  return notes.length === 0 ? '' : ` ${comment('', notes.join('; '))}`;
}

/** The comments of a field and of everything within it, each once. */
function notesIn(field: DraftField): readonly string[] {
  return [...new Set([...field.comments, ...typeNotes(field.type)])];
}

function typeNotes(type: DraftType): readonly string[] {
  if (type.kind === 'list') return typeNotes(type.items);
  if (type.kind !== 'object') return [];
  return type.fields.flatMap((field) => notesIn(field).map((note) => `${field.name}: ${note}`));
}

function fieldText({ name, type, optional }: DraftField): string {
  return `${name}: ${typeText(type, optional)}`;
}

function typeText(type: DraftType, optional: boolean): string {
  const also = optional ? ', optional: true' : '';
  switch (type.kind) {
    case 'short':
      return shortText(`${type.text}${optional ? '?' : ''}`);
    case 'enum':
      return `{ enum: [${type.values.map(scalar).join(', ')}]${also} }`;
    case 'list': {
      const max = type.itemsMax === undefined ? '' : `, max: ${String(type.itemsMax)}`;
      return `{ list: ${typeText(type.items, false)}${max}${also} }`;
    }
    case 'object':
      return `{ object: { ${type.fields.map(fieldText).join(', ')} }${also} }`;
    default:
      return type satisfies never;
  }
}

/** Within braces a comma would be read as YAML’s own. */
function shortText(text: string): string {
  return /^[\w()]+\??$/u.test(text) ? text : JSON.stringify(text);
}

function requestLines(operation: DraftOperation): readonly string[] {
  const { method, path, query, headers, body } = operation;
  return [
    '        request:',
    `          ${method}: ${scalar(path)}`,
    ...placeLines('query', query),
    ...placeLines('headers', headers),
    ...(body.kind === 'form' || body.kind === 'json' ? placeLines(body.kind, body.members) : []),
    ...(body.kind === 'whole' ? [`          json: $${body.argument}`] : []),
  ];
}

function placeLines(what: string, places: readonly DraftPlace[]): readonly string[] {
  if (places.length === 0) return [];
  const members = places.map(([name, value]) => `            ${key(name)}: ${scalar(value)}`);
  return [`          ${what}:`, ...members];
}

// ---------------------------------------------------------------- texts

/** YAML 1.2.2, section 7.4.2: an implicit key. */
const YAML_KEY_LENGTH_MAX = 1024;

/** Words that YAML reads as something else than text. */
const NO_TEXT = /^(?:true|false|null|yes|no|on|off|y|n|~)$/iu;

/** A text as YAML, in quotes unless nothing could mistake it. */
export function scalar(text: string): string {
  const plain = /^[A-Za-z$/][\w$./-]*$/u.test(text) && !NO_TEXT.test(text);
  if (plain || /^https?:\/\/[\w./:%-]+$/u.test(text)) return text;
  if (!text.isWellFormed() || /(?![\t\n])\p{Cc}|\p{Noncharacter_Code_Point}/u.test(text)) {
    refuseImport('name_refused', 'a name or a value holds a character that nobody can see');
  }
  // A JSON text is a YAML text, once what YAML calls no character is written by its number.
  return JSON.stringify(text).replaceAll(
    /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

/** The name of a member; YAML takes no longer one. */
function key(name: string): string {
  const text = scalar(name);
  if (text.length <= YAML_KEY_LENGTH_MAX) return text;
  return refuseImport('name_refused', 'the name of a parameter or a header is too long');
}

/** One line, whatever the text holds. */
function comment(indent: string, text: string): string {
  const line = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const max = IMPORT_LIMITS.commentLengthMax;
  // Half a pair of surrogates at the cut would be no character.
  const cut = line.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/u, '');
  return `${indent}# ${line.length > max ? `${cut}…` : line}`;
}
