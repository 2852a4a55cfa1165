/**
 * What an import makes before it is written down: a target with operations that a person is to read,
 * correct and take over. A draft is never loaded by itself.
 */
import type { HttpOperation } from '../../../kernel/inventory.ts';
import type { Kind } from '../../../kernel/kind.ts';

/** How large an import may be; one past any of them is refused or left out with a comment. */
export const IMPORT_LIMITS = {
  /** Of a document, in bytes. */
  documentBytesMax: 33_554_432,
  /** Of a YAML document, which takes longer to read, in bytes. */
  yamlBytesMax: 8_388_608,
  /** Of a command line, in UTF-16 code units. */
  commandLengthMax: 262_144,
  operationsMax: 2000,
  /** Of one target; more are split over several. */
  operationsPerTargetMax: 500,
  argumentsMax: 64,
  /** Objects and lists within each other, in one argument. */
  depthMax: 4,
  /** References followed one after the other. */
  referencesMax: 64,
  /** Schemas looked at for one operation: references can make a small document endless. */
  schemasMax: 2000,
  /** Of what is written, in UTF-16 code units: an inventory may have no more. */
  textLengthMax: 4_194_304,
  commentLengthMax: 120,
} as const;

/** Why an import is refused, in order of precedence. */
export const IMPORT_CODES = [
  /** More bytes than `documentBytesMax` or `yamlBytesMax`, or a longer line than `commandLengthMax`. */
  'import_too_large',
  /** Neither JSON nor YAML. */
  'document_unreadable',
  /** Not OpenAPI 3.0 or 3.1. */
  'document_not_openapi',
  /** A `$ref` that leads out of the document. */
  'remote_reference',
  /** A `$ref` that leads nowhere. */
  'reference_unresolved',
  'too_many_operations',
  /** Nothing in it that an operation could be made of. */
  'nothing_to_import',
  /** What would be written is more than an inventory may have. */
  'draft_too_large',
  'name_refused',
  /** `$(…)`, a backtick or `<(…)`: a shell would run something. */
  'shell_substitution',
  /** `$NAME`, or `$'…'`. */
  'shell_variable',
  /** `;`, `|`, `&`, a parenthesis or a line end: another command. */
  'shell_operator',
  'shell_redirection',
  'shell_comment',
  /** A quote that does not end. */
  'shell_quote_open',
  /** The first word is not `curl`. */
  'not_curl',
  'option_unknown',
  'option_without_value',
  /** A body or a setting that is read from a file. */
  'file_reference',
  /** A form of several parts, an upload, or a body that is neither JSON nor a form. */
  'body_unsupported',
  'method_unsupported',
  'url_missing',
  'url_refused',
] as const;

/** A code of `IMPORT_CODES`. */
export type ImportCode = (typeof IMPORT_CODES)[number];

/** Ends an import. `position` is a character of the command (from 1), or a pointer into the document. */
export class ImportRefusal extends Error {
  readonly code: ImportCode;
  readonly position: string | undefined;

  constructor(code: ImportCode, message: string, position?: string) {
    super(message);
    this.name = 'ImportRefusal';
    this.code = code;
    this.position = position;
  }
}

/** Ends an import. */
export function refuseImport(code: ImportCode, message: string, position?: string): never {
  throw new ImportRefusal(code, message, position);
}

/** A text to be put into an inventory, with what a person should know about the result. */
export type Imported =
  | { readonly ok: true; readonly text: string; readonly operations: number }
  | {
      readonly ok: false;
      readonly code: ImportCode;
      readonly message: string;
      readonly position?: string;
    };

/** Runs an import and gives its refusal as a value. */
export function importing(
  work: () => { readonly text: string; readonly operations: number },
): Imported {
  try {
    return { ok: true, ...work() };
  } catch (error) {
    if (!(error instanceof ImportRefusal)) throw error;
    const { code, message, position } = error;
    return { ok: false, code, message, ...(position === undefined ? {} : { position }) };
  }
}

/** The type of an argument as people write it. */
export type DraftType =
  /** Such as `string(64)`. */
  | { readonly kind: 'short'; readonly text: string }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'list'; readonly items: DraftType; readonly itemsMax?: number }
  | { readonly kind: 'object'; readonly fields: readonly DraftField[] };

/** One argument, or one member of an object. */
export interface DraftField {
  readonly name: string;
  readonly type: DraftType;
  readonly optional: boolean;
  /** What was guessed, or is lost. */
  readonly comments: readonly string[];
}

/** A wire name with the argument that stands there. */
export type DraftPlace = readonly [name: string, argument: string];

/** An operation to be. */
export interface DraftOperation {
  readonly name: string;
  readonly kind: Kind;
  /** Why this kind was guessed. */
  readonly kindReason: string;
  readonly summary?: string;
  readonly method: HttpOperation['method'];
  /** With `{argument}` in its segments. */
  readonly path: string;
  readonly query: readonly DraftPlace[];
  readonly headers: readonly DraftPlace[];
  readonly body:
    | { readonly kind: 'none' }
    | { readonly kind: 'form' | 'json'; readonly members: readonly DraftPlace[] }
    /** The whole body is one argument. */
    | { readonly kind: 'whole'; readonly argument: string };
  readonly arguments: readonly DraftField[];
  /** What is lost, and what to do about it. */
  readonly comments: readonly string[];
}

/** A target to be. */
export interface DraftTarget {
  readonly name: string;
  readonly url: string;
  readonly auth: 'none' | 'bearer' | 'basic';
  readonly comments: readonly string[];
  readonly operations: readonly DraftOperation[];
}

/** A text type with a length. */
export function short(text: string): DraftType {
  return { kind: 'short', text };
}
