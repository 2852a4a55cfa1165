/**
 * How executors say no before anything was sent. Inside this folder a refusal is thrown, so that the
 * steps of an executor read as a list; it leaves the folder only as the value `Attempt`.
 */
import type { Attempt } from '../engine/ports.ts';

/**
 * Every code with which an executor refuses to resolve, preview, prepare or reconcile, in order of
 * precedence: what is wrong with the definition, the arguments, the files, the credential, the
 * system, and at last with the conversation.
 */
const REFUSAL_CODES = [
  /** The binding, the probe or a declaration is not one this executor performs. */
  'binding_unsupported',
  'probe_unsupported',
  /** A memory limit is declared and this system has no way to measure memory. */
  'memory_limit_unsupported',
  /** The user that programs run as does not exist, is root or the layer's own, or cannot be become. */
  'user_unknown',
  'user_not_separate',
  'user_switch_refused',
  /** `bwrap` is not installed. */
  'sandbox_missing',
  /** The first word of a program is not an absolute path without references. */
  'executable_not_absolute',
  /** The target's URL has another scheme than http or https, a user, a query or a fragment. */
  'url_refused',
  /** A declared header that only the layer may send, or that is no token. */
  'header_refused',
  'addresses_allowed_invalid',
  'argument_missing',
  /** An array or an object where text is needed. */
  'argument_not_text',
  'argument_part_unknown',
  /** An amount that is no whole number of minor units. */
  'argument_not_minor_units',
  'argument_too_large',
  /** A word that would begin with a hyphen because an argument does. */
  'argument_looks_like_option',
  /** NUL in a word, or a character that a header or a path cannot carry. */
  'argument_has_control_character',
  'argument_not_header_text',
  /** Empty, `.` or `..` as a path segment, or a part of one. */
  'argument_not_a_segment',
  /** An argument that holds the text that stands for the execution's id. */
  'argument_holds_placeholder',
  /** The path is not the one that a URL parser makes of it. */
  'path_not_canonical',
  'request_too_large',
  /** Not an absolute path of plain parts, or an argument that would be more than one part of it. */
  'path_refused',
  'path_outside_roots',
  /** This system cannot open a file below a directory that is held open. */
  'descriptors_unsupported',
  /** A symbolic link where a directory or a file is needed. */
  'link_refused',
  'file_missing',
  'file_not_regular',
  'file_not_executable',
  /** The file has other names, which an effect would leave behind. */
  'file_has_links',
  /** Something has the name that the file is to get. */
  'file_exists',
  'file_too_large',
  'directory_missing',
  'directory_changed',
  /** A pinned file is not the one that was resolved. */
  'pinned_file_changed',
  /** The file is not as it was previewed. */
  'file_changed',
  /** The effect compiles to another digest than the resolution's. */
  'effect_changed',
  /** A blob that the action names is not there, or this layer keeps none. */
  'blob_missing',
  /** The stored bytes of a blob are no longer those that its name says. */
  'blob_changed',
  /** There is no place for copies of blobs that nobody else may change, or no room in it. */
  'blob_copy_failed',
  'credential_missing',
  'credential_reference_invalid',
  /** The program of an `exec:` reference cannot run or fails; what it printed is never shown. */
  'credential_command_failed',
  'credential_command_timeout',
  'credential_unreadable',
  'credential_world_writable',
  'credential_too_large',
  'credential_not_text',
  'credential_empty',
  /** Shorter than four characters: it could not be masked. */
  'credential_too_short',
  /** A character that a header or an environment variable cannot carry. */
  'credential_not_sendable',
  /** A credential would travel in the clear to an address that is not allowed by name. */
  'credential_in_clear',
  /** An optional package that reaches this sort of system is not installed. */
  'driver_missing',
  'address_unresolved',
  /** One of the addresses is not in public address space and not allowed for the target. */
  'address_refused',
  'connection_failed',
  'connection_not_pinned',
  /** The token endpoint of an `oauth2` target gave no token that can be used. */
  'token_not_given',
  'probe_failed',
  'probe_identity_missing',
  'probe_environment_unknown',
  /** The credential that acts leads to another database than the one that was resolved. */
  'database_changed',
  'preview_failed',
  'preview_incomplete',
  /** The statement would touch more rows than `max` allows. */
  'preview_too_many_rows',
  /** Two rows have one key, or a row has none. */
  'preview_key_not_unique',
  /** The preview's answer has no strong ETag to send back, or a member that hides it. */
  'preview_etag_missing',
  'reconcile_failed',
  'timeout',
  'cancelled',
] as const;

/** A stable code of `REFUSAL_CODES`. */
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** Thrown inside this folder, given outside as a failed `Attempt`. The message holds no secret. */
export class ExecutorRefusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.name = 'ExecutorRefusal';
    this.code = code;
  }
}

/** Ends a step of an executor. */
export function refuse(code: RefusalCode, message: string): never {
  throw new ExecutorRefusal(code, message);
}

/** Runs `work` and gives its refusal as a value; any other error is a defect and is thrown on. */
export async function attempt<Value>(work: () => Promise<Value>): Promise<Attempt<Value>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (!(error instanceof ExecutorRefusal)) throw error;
    return { ok: false, code: error.code, message: error.message };
  }
}
