/** How large an inventory may be, and what its parts are worth when they are not given. */

/** Limits of an inventory; one past any of them is a problem at load. */
export const INVENTORY_LIMITS = {
  targetsMax: 1000,
  operationsPerTargetMax: 500,
  argumentsMax: 64,
  /** Objects and lists within each other, in one argument. */
  argumentDepthMax: 5,
  enumValuesMax: 200,
  stringLengthMax: 65_536,
  itemsMax: 10_000,
  /** Words of a program. */
  wordsMax: 256,
  filesMax: 256,
  /** Directories that a target of files declares. */
  rootsMax: 64,
  /** The largest file that is acted on. */
  fileBytesMax: 67_108_864,
  headersMax: 64,
  fieldsMax: 256,
  pointersMax: 64,
  rangesMax: 64,
  labelsMax: 64,
  timeoutMsMax: 3_600_000,
  outputBytesMax: 16_777_216,
  memoryBytesMax: 1_099_511_627_776,
  /** Rows of one statement. */
  rowsMax: 10_000,
  /** Columns that together name a row. */
  keyColumnsMax: 8,
  /** How long a preview that is rolled back may wait for somebody's lock, and so queue others behind it. */
  rollbackLockTimeoutMsMax: 5000,
  statementLengthMax: 16_384,
  /** How long a claim may be good: it is meant to be redeemed at once. */
  permitValidForMsMax: 900_000,
  /** How long an executor elsewhere may take to say how it ended. */
  permitSettleWithinMsMax: 86_400_000,
} as const;

/** What holds where the inventory says nothing. */
export const INVENTORY_DEFAULTS = {
  environment: 'production',
  timeoutMs: 30_000,
  outputBytesMax: 262_144,
  stringLengthMax: 1000,
  itemsMax: 100,
  fileBytesMax: 1_048_576,
  rowsMax: 1000,
  lockTimeoutMs: 5000,
  permitValidForMs: 60_000,
  permitSettleWithinMs: 300_000,
} as const;

/** The codes that the reader of an inventory gives, beside `YAML_CODES` and `DOCUMENT_CODES`. */
export const INVENTORY_CODES = [
  /** More of something than `INVENTORY_LIMITS` allows. */
  'too_many',
  /** The document says it is of a version that is not known. */
  'bad_version',
  /** The target has no executor, or more than one. */
  'bad_executor',
  /** A credential is not `env:NAME`, `file:/path` or `exec:/path word…`. */
  'bad_credential',
  /** The target adds a credential to requests and names none. */
  'credential_missing',
  /** Previews and probes are sent without a credential, because `look` is missing. */
  'look_missing',
  /** A credential travels over plain HTTP. */
  'credential_in_clear',
  /** Not a way to authenticate at an http target, or one without what it needs. */
  'bad_auth',
  /** Not an http or https URL without user, query or fragment. */
  'bad_url',
  /** Not a range of addresses such as `127.0.0.0/8`. */
  'bad_range',
  /** A path that is not written in its one way, or a program that is no path. */
  'bad_path',
  /** A probe that the executor of the target cannot make. */
  'bad_probe',
  /** The environment of the lock file is not the one of the inventory. */
  'environment_differs',
  /** The lock file knows a target that the inventory does not. */
  'unknown_target',
  /** A type that is not one, such as `money(EURO)`. */
  'bad_type',
  /** Not an ISO 4217 currency. */
  'unknown_currency',
  /** A name that expressions cannot use. */
  'bad_argument_name',
  /** A kind that is not one. */
  'unknown_kind',
  /** A measure that operations of the kind do not have. */
  'measure_unknown',
  /** A text with a `$` or a brace that is no reference. */
  'bad_template',
  /** A reference to an argument that there is not, or to a part it has not. */
  'unknown_argument',
  /** A list or object where only text can stand. */
  'argument_without_text',
  /** A secret where it could not be kept out of what is shown, or at a target that takes none. */
  'misplaced_secret',
  /** Under `env`: no name of a variable, or of one that no action may give. */
  'bad_variable',
  /** A secret in the query of a URL, which others write to their logs. */
  'secret_in_url',
  /** A blob at a target that does not run programs. */
  'misplaced_blob',
  /** A secret that the target's `credentials` have no reference for. */
  'unknown_secret',
  /** An argument that may be left out stands where something must stand. */
  'optional_argument',
  /** A header that only the layer may set, or that is no header. */
  'bad_header',
  /** Not a JSON pointer. */
  'bad_pointer',
  /** Not a size such as `64KiB`. */
  'bad_size',
  /** Not an exit code, a status or what they mean. */
  'bad_outcome',
  /** A request without a method, with two, or with a body that its method cannot have. */
  'bad_request',
  /** The operation neither runs nor requests, or does what its target cannot. */
  'bad_operation',
  /** `preview: rollback` without `lockTimeout`, or with one that is too long. */
  'rollback_unbounded',
  /** `ifMatch: preview` without a preview. */
  'no_preview',
  /** A preview without anything that the consent digest covers. */
  'preview_empty',
  /** An operation of a kind that only reads is sent with a method that may write. */
  'read_may_write',
  /** Not 64 hex digits. */
  'bad_digest',
  /** The statement does not parse. */
  'sql_syntax',
  /** A comment in a statement. */
  'sql_comment',
  /** `$1`, `?` or `$$` in a statement; arguments are written as `:name`. */
  'sql_parameter',
  /** No statement, or more than one. */
  'sql_not_one',
  /** Not a DELETE, UPDATE, INSERT or SELECT, or not the one that the kind says. */
  'sql_sort',
  /** A `WITH` clause. */
  'sql_with',
  /** More than one table. */
  'sql_join',
  /** A query within the statement. */
  'sql_subquery',
  /** A function that is not known to have no effect. */
  'sql_function',
  /** A cast to a type that is not a simple one. */
  'sql_cast',
  /** A `RETURNING` clause; the layer adds its own. */
  'sql_returning',
  /** No `key`, one where nothing is changed, one column twice, or an update of the key itself. */
  'sql_key',
  /** More rows than `max` allows. */
  'sql_rows',
  /** Anything else that is not understood. */
  'sql_unproved',
  /** A number that JSON cannot carry exactly. */
  'bad_number',
] as const;
