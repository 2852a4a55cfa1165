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
    doc: 'The key is of a sort that this route does not take: agents propose, people answer, executors redeem, the operator runs the layer.',
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
  tile_unknown: {
    status: 404,
    title: 'No such tile',
    doc: 'The tree has no such tile (yet), or its path is not written as C2SP tlog-tiles has it.',
    hint: 'read `/v1/ledger/checkpoint` for the size of the tree',
  },
  halt_unknown: {
    status: 404,
    title: 'No such halt',
    doc: 'There is no standing halt with this id.',
  },
  account_unknown: {
    status: 404,
    title: 'No such account',
    doc: 'There is no agent, person or executor of this name.',
  },
  key_unknown: {
    status: 404,
    title: 'No such key',
    doc: 'The account has no live key of this id.',
    hint: 'list its keys with `exequatur agent key list NAME` or `exequatur person key list NAME`',
  },
  permit_unknown: {
    status: 404,
    title: 'No such permit',
    doc: 'There is no permit of this id for this caller, or it was not redeemed.',
  },
  permit_malformed: {
    status: 400,
    title: 'No permit',
    doc: 'The text is not a permit in its one form: header and claims in canonical JSON, base64url without padding.',
    hint: 'hand the claim over as it came from the layer',
  },
  permit_not_genuine: {
    status: 403,
    title: 'Not a permit of this layer',
    doc: 'The permit is of another type, algorithm or issuer, or not signed by a key of this layer.',
  },
  permit_for_another: {
    status: 403,
    title: 'Permit for another executor',
    doc: 'The audience of the permit is not the caller; nothing was handed over.',
  },
  not_redeemer: {
    status: 403,
    title: 'Not the redeemer',
    doc: 'Another executor redeemed this permit, or it was redeemed as another execution; only that one is settled, by whom it was given.',
  },
  blob_unknown: {
    status: 404,
    title: 'No such blob',
    doc: 'There is no blob of this digest, or no more, or another agent put it.',
  },
  blob_too_large: {
    status: 413,
    title: 'Blob too large',
    doc: 'The blob is larger than one may be; nothing was kept.',
    hint: 'the operator sets `blobs.bytesMax`',
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
  permit_expired: {
    status: 409,
    title: 'Permit expired',
    doc: 'The time of the permit is over, or has not come; nothing was handed over.',
    hint: 'its agent can ask for a fresh claim with `GET /v1/permits/{id}`',
  },
  permit_redeemed: {
    status: 409,
    title: 'Redeemed already',
    doc: 'The permit was redeemed before; it is redeemed once, and this caller must not execute it.',
  },
  permit_not_admitted: {
    status: 409,
    title: 'Not admitted now',
    doc: 'The action was decided anew and is not admitted (any more); nothing was handed over.',
    hint: 'its agent learns what it waits for; the permit may be redeemed later, while it is good',
  },
  permit_settled: {
    status: 409,
    title: 'Settled already',
    doc: 'How the execution ended is known already, otherwise than said now; nothing was changed.',
  },
  not_final: {
    status: 409,
    title: 'Not final',
    doc: 'The action may still run or its outcome is still open, so nothing of it is erased.',
    hint: 'withdraw or reject what is held; resolve what is unknown',
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
  blob_digest_mismatch: {
    status: 422,
    title: 'Not these bytes',
    doc: 'The bytes that came have another SHA-256 than the path says; nothing was kept.',
    hint: 'send the file as it is, byte by byte: with curl `--data-binary @FILE` or `-T FILE`',
  },
  ledger_changed: {
    status: 409,
    title: 'Ledger was changed',
    doc: 'Stored bytes are not those that the ledger holds, so nothing is signed for them.',
    hint: 'somebody changed files behind the layer: look into it, and compare with a backup',
  },
  receipt_not_ready: {
    status: 409,
    title: 'No receipt for its agent yet',
    doc: 'The action is open; its agent gets the receipt once it is known what became of it.',
    hint: 'poll the action: the answer has a `receipt` then',
  },
  receipt_erased: {
    status: 409,
    title: 'Too much was erased',
    doc: 'An entry of this action was too long for the log, and what it said was erased; there is no receipt any more.',
  },
  receipt_too_large: {
    status: 409,
    title: 'Receipt too large',
    doc: 'What the ledger holds of this action is more than a receipt may hold.',
    hint: 'take the ledger instead: `exequatur ledger export`',
  },
  blob_changed: {
    status: 409,
    title: 'Stored bytes were changed',
    doc: 'The stored bytes of the blob are no longer those that its name says; no action runs on them.',
    hint: 'put it again; somebody changed files behind the layer: look into it',
  },
  blob_missing: {
    status: 422,
    title: 'Blob missing',
    doc: 'The agent has not put a blob that the action names, or it has expired; nothing was executed.',
    hint: 'put it with `PUT /v1/blobs/{sha256}` and propose again',
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
  evidence_missing: {
    status: 422,
    title: 'Evidence missing',
    doc: 'That nothing was executed takes `evidence`: what makes it certain.',
    hint: 'settle as `unknown` where it is not certain',
  },
  result_too_large: {
    status: 422,
    title: 'Result too large',
    doc: 'Result and evidence together have more than 65,536 bytes; nothing was settled.',
    hint: 'say what matters, and keep the rest where it can be found again',
  },
  not_a_permit: {
    status: 422,
    title: 'No executor elsewhere',
    doc: 'The layer itself performs this operation, so there is no permit for it; nothing was executed.',
    hint: 'propose it with `POST /v1/actions`',
  },
  permit_too_large: {
    status: 422,
    title: 'Action too large for a permit',
    doc: 'The action has more than 65,536 bytes, which no claim carries.',
    hint: 'name large inputs by their digest',
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
  too_many_uploads: {
    status: 429,
    title: 'Too many uploads',
    doc: 'As many blobs are being uploaded as may be at once; nothing was kept.',
    retryAfterSeconds: 2,
  },
  blobs_of_agent_full: {
    status: 429,
    title: 'No room for this agent’s blobs',
    doc: 'The blobs of this agent take as much room as they may; nothing was kept.',
    hint: 'blobs that no open action names go away by themselves',
    retryAfterSeconds: 60,
  },
  blobs_full: {
    status: 503,
    title: 'No room for blobs',
    doc: 'All blobs together take as much room as they may; nothing was kept.',
    retryAfterSeconds: 60,
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
  ledger_off: {
    status: 503,
    title: 'No signed ledger here',
    doc: 'This layer has no key to sign its ledger with.',
    retryAfterSeconds: 60,
  },
  ledger_unsigned: {
    status: 503,
    title: 'Ledger is not signed any more',
    doc: 'The ledger did not only grow since its newest checkpoint, so that the layer signs it no more.',
    hint: 'somebody changed the store behind the layer: stop it, and compare it with a backup',
    retryAfterSeconds: 60,
  },
  permits_off: {
    status: 503,
    title: 'No permits here',
    doc: 'This layer has no key to sign permits with; nothing was executed.',
    retryAfterSeconds: 60,
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
