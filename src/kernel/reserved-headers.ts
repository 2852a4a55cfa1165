/**
 * Headers that no operation can declare: the inventory refuses them where they stand, and the HTTP
 * executor refuses them again before anything is sent.
 */

/** In lower case: what frames the message, routes it or carries what only the layer may add. */
export const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'accept-encoding',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'idempotency-key',
  'if-match',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
