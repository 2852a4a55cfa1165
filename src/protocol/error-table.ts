/**
 * The words for every error of the API but those of the JSON parser: status, title, one sentence, and
 * what to do. Three tables by when they happen: before anything is stored, about what is stored, and
 * only for now.
 */

/** Requests that are refused as they stand. */
export const REQUEST_ERRORS = {
  invalid_request: {
    status: 400,
    title: 'Invalid request',
    doc: 'The body is JSON, but not of the shape that this route takes.',
    hint: 'see `position.pointer` for the member',
  },
  query_invalid: {
    status: 400,
    title: 'Invalid query',
    doc: 'A query parameter is unknown, given twice, or has a value it cannot have.',
  },
  header_invalid: {
    status: 400,
    title: 'Invalid header',
    doc: 'A header that this route reads has a value it cannot have.',
  },
  idempotency_key_missing: {
    status: 400,
    title: 'Idempotency key missing',
    doc: 'A proposal carries no `Idempotency-Key`.',
    hint: 'send `Idempotency-Key: <1 to 255 visible ASCII characters>`, a new one for each action',
  },
  idempotency_key_invalid: {
    status: 400,
    title: 'Invalid idempotency key',
    doc: 'An idempotency key is 1 to 255 visible ASCII characters.',
  },
  unauthenticated: {
    status: 401,
    title: 'Not authenticated',
    doc: 'The request carries no key, or one that belongs to nobody (any more).',
    hint: 'send `Authorization: Bearer <key>`',
  },
  wrong_key_sort: {
    status: 403,
    title: 'Wrong sort of key',
    doc: 'The key is of a sort that this route does not take: agents propose, people answer, the operator runs the layer.',
  },
  host_not_allowed: {
    status: 403,
    title: 'Host not allowed',
    doc: 'The `Host` header names a host that the layer is not reached by.',
    hint: 'use the address that the layer printed at its start',
  },
  origin_not_allowed: {
    status: 403,
    title: 'Origin not allowed',
    doc: 'The request comes from a page of another origin.',
  },
  not_entitled: {
    status: 403,
    title: 'Not entitled',
    doc: 'This person may not answer this: it is not asked of them, or they request it themselves.',
  },
  route_unknown: {
    status: 404,
    title: 'No such route',
    doc: 'Nothing answers under this path.',
  },
  action_unknown: {
    status: 404,
    title: 'No such action',
    doc: 'There is no action with this id, or it belongs to another agent.',
  },
  halt_unknown: {
    status: 404,
    title: 'No such halt',
    doc: 'There is no standing halt with this id.',
  },
  account_unknown: {
    status: 404,
    title: 'No such account',
    doc: 'There is no agent or person of this name.',
  },
  key_unknown: {
    status: 404,
    title: 'No such key',
    doc: 'The account has no live key of this id.',
    hint: 'list its keys with `exequatur agent key list NAME` or `exequatur person key list NAME`',
  },
  error_unknown: {
    status: 404,
    title: 'No such error code',
    doc: 'This code is none of the API’s error codes.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    doc: 'The path is known, the method is not; `Allow` lists those that are.',
  },
  request_timeout: {
    status: 408,
    title: 'Request too slow',
    doc: 'The body did not arrive in time.',
  },
  request_malformed: {
    status: 400,
    title: 'Malformed request',
    doc: 'The bytes are no HTTP request.',
  },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    doc: 'Request line and headers have more than 16,384 bytes.',
  },
  body_too_large: {
    status: 413,
    title: 'Body too large',
    doc: 'The body has more than 1,048,576 bytes.',
  },
  media_type_unsupported: {
    status: 415,
    title: 'Media type not supported',
    doc: 'Bodies are `application/json` in UTF-8.',
    hint: 'send `Content-Type: application/json`',
  },
  encoding_unsupported: {
    status: 415,
    title: 'Content encoding not supported',
    doc: 'Bodies are sent as they are, without `Content-Encoding`.',
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    doc: 'The layer failed to answer. `executed` says whether something may have been executed.',
    hint: 'where `executed` is `unknown`, repeat with the same idempotency key; it never executes twice',
  },
} as const;

/** What the state of an action, an account or a configuration does not allow. */
export const STATE_ERRORS = {
  denied: {
    status: 403,
    title: 'Not executed',
    doc: 'The action is denied and will never run.',
    hint: 'see `findings`; a changed action is a new proposal with a new idempotency key',
  },
  rejected: {
    status: 403,
    title: 'Not executed',
    doc: 'A person said no to the action; it will never run.',
  },
  expired: {
    status: 403,
    title: 'Not executed',
    doc: 'The deadline passed before the action was admitted; it will never run.',
  },
  withdrawn: {
    status: 403,
    title: 'Not executed',
    doc: 'The agent withdrew the action; it will never run.',
  },
  not_held: {
    status: 409,
    title: 'Not held',
    doc: 'The action is not waiting (any more), so there is nothing to answer or withdraw.',
  },
  not_unknown: {
    status: 409,
    title: 'Not unknown',
    doc: 'The outcome is known already; only an unknown one can be resolved by a person.',
  },
  consent_moved: {
    status: 409,
    title: 'It moved',
    doc: 'What the yes was to is no longer what would happen; nothing was recorded.',
    hint: 'open the action again and look at what it would do now',
  },
  challenge_invalid: {
    status: 409,
    title: 'Challenge not valid',
    doc: 'The challenge was used, has expired, or was given to somebody else or for another action.',
    hint: 'open the action again for a new challenge',
  },
  account_revoked: {
    status: 409,
    title: 'Account revoked',
    doc: 'The account is revoked; a revoked name is never used again.',
  },
  backup_exists: {
    status: 409,
    title: 'Backup exists',
    doc: 'There is a backup of this name already; it was left as it is.',
  },
  account_exists: {
    status: 409,
    title: 'Account exists',
    doc: 'There is an account of this name with other roles, owners or aliases; no key was made.',
    hint: 'give the same settings for another key, or change the roles',
  },
  not_asked: {
    status: 409,
    title: 'Nobody is asked',
    doc: 'The action is held, but not for an answer of people.',
  },
  already_answered: {
    status: 409,
    title: 'Answered already',
    doc: 'This person said yes to this already.',
  },
  payload_mismatch: {
    status: 409,
    title: 'Stored bytes do not match',
    doc: 'The stored bytes are not the action that was proposed; it will be denied.',
    hint: 'somebody changed the database behind the layer; look into it',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency key reused',
    doc: 'This idempotency key was used with another body; nothing was executed for this one.',
    hint: 'use a new idempotency key for a new action',
  },
  deadline_too_far: {
    status: 422,
    title: 'Deadline too far away',
    doc: 'The deadline is further away than the layer keeps actions open.',
  },
  not_before_after_deadline: {
    status: 422,
    title: 'Not before the deadline',
    doc: '`notBefore` is not before the deadline, so the action could never run.',
  },
  delegator_unknown: {
    status: 422,
    title: 'No such delegator',
    doc: 'There is no live person of the delegator’s name.',
  },
  reason_missing: {
    status: 422,
    title: 'Reason missing',
    doc: 'A no and a resolution need a reason.',
  },
  configuration_invalid: {
    status: 422,
    title: 'Configuration not valid',
    doc: 'The policy, inventory or configuration on disk is not valid; the last good epoch stays active.',
    hint: 'see `problems` for file, line and column',
  },
} as const;

/** What may go well later. */
export const LATER_ERRORS = {
  too_many_open: {
    status: 429,
    title: 'Too many open actions',
    doc: 'This agent has as many open actions as one agent may have; nothing was executed.',
    retryAfterSeconds: 30,
  },
  too_many_denials: {
    status: 429,
    title: 'Too many denials',
    doc: 'This agent had as many denied proposals in this minute as are stored; nothing was executed.',
    retryAfterSeconds: 60,
  },
  too_many_streams: {
    status: 429,
    title: 'Too many event streams',
    doc: 'This key has as many event streams open as one key may have.',
    retryAfterSeconds: 5,
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    doc: 'Too much is under way; nothing was executed.',
    retryAfterSeconds: 1,
  },
  unsettled: {
    status: 503,
    title: 'Not settled',
    doc: 'Policy or target kept changing while the action was judged; nothing was executed.',
    retryAfterSeconds: 1,
  },
  draining: {
    status: 503,
    title: 'Stopping',
    doc: 'The layer is stopping and takes nothing new; nothing was executed.',
    retryAfterSeconds: 5,
  },
  store_full: {
    status: 503,
    title: 'Disk full',
    doc: 'The disk is full, so nothing crosses; nothing was executed.',
    retryAfterSeconds: 30,
  },
  store_unavailable: {
    status: 503,
    title: 'Store not available',
    doc: 'The store does not answer, so nothing crosses; nothing was executed.',
    retryAfterSeconds: 5,
  },
  clock_jumped: {
    status: 503,
    title: 'Clock jumped',
    doc: 'The clock jumped, and nothing crosses until a person has looked; nothing was executed.',
    retryAfterSeconds: 60,
  },
} as const;
