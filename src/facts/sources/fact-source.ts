/**
 * Live values: each `advance` fetches the facts its rules name, anew. A fact is known with the instant
 * its request began, or it is failed with a code; it is never guessed, never taken from before, and
 * fetching it never throws.
 */
import path from 'node:path';
import type { Clock, FactSource } from '../../engine/ports.ts';
import type { Fact, Gathered } from '../../kernel/decision.ts';
import { parseJson } from '../../kernel/json/parse.ts';
import type { JsonValue } from '../../kernel/json/value.ts';
import type { FactSpec, FactSource as Source } from '../../kernel/policy.ts';
import { readBounded } from '../document/read-document.ts';
import { httpGet, type Lookup, SYSTEM_LOOKUP } from './http-get.ts';
import { FactRefusal, systemCodeOf } from './refusal.ts';
import { shape, valueAt } from './shape.ts';

/** The largest answer of a source in bytes. */
export const FACT_BYTES_MAX = 1_048_576;

/** What fetching stands on. */
export interface FactSourceParts {
  readonly clock: Clock;
  /** The system's resolver if absent. */
  readonly lookup?: Lookup;
  /** What relative paths of files start from; the working directory if absent. */
  readonly baseDirectory?: string;
}

/** Fetches facts from JSON files and by HTTP GET. Codes of failures: `FACT_CODES`. */
export function createFactSource(parts: FactSourceParts): FactSource {
  return { fetch: (spec, signal) => fetchFact(parts, spec, signal) };
}

async function fetchFact(
  parts: FactSourceParts,
  spec: FactSpec,
  signal: AbortSignal,
): Promise<Gathered<Fact>> {
  const { clock } = parts;
  // Age counts from here: what the source says was true at some time after this instant.
  const observedAt = clock.now();
  const startMs = clock.monotonicMs();
  const deadline = new AbortController();
  const over = AbortSignal.any([signal, deadline.signal]);
  const finished = new AbortController();
  void clock.sleep(spec.timeoutMs, finished.signal).then(() => deadline.abort());
  try {
    const bytes = await untilAborted(readSource(parts, spec.source, over), over);
    const value = readValue(bytes, spec);
    const tookMs = Math.max(0, clock.monotonicMs() - startMs);
    return { kind: 'known', value: { value, source: nameOf(spec.source), observedAt, tookMs } };
  } catch (error) {
    return failureOf(error, over, spec);
  } finally {
    finished.abort();
  }
}

function failureOf(error: unknown, over: AbortSignal, spec: FactSpec): Gathered<Fact> {
  // Whatever failed after the time was over failed because it was over.
  if (over.aborted) {
    const message = `no answer within ${spec.timeoutMs} ms`;
    return { kind: 'failed', code: 'fact_timeout', message };
  }
  if (error instanceof FactRefusal) {
    return { kind: 'failed', code: error.code, message: error.message };
  }
  const message = `the source cannot be read: ${systemCodeOf(error)}`;
  return { kind: 'failed', code: 'fact_unreachable', message };
}

/** Rejects as soon as the signal aborts: a resolver or a file system may not know how to stop. */
async function untilAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(new FactRefusal('fact_timeout', 'the time is over'));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function readSource(
  { lookup = SYSTEM_LOOKUP, baseDirectory = '.' }: FactSourceParts,
  source: Source,
  signal: AbortSignal,
): Promise<Uint8Array> {
  switch (source.kind) {
    case 'file':
      return readFile(path.resolve(baseDirectory, source.path));
    case 'http':
      return httpGet(source, { lookup, bytesMax: FACT_BYTES_MAX, signal });
    default:
      return source satisfies never;
  }
}

async function readFile(file: string): Promise<Uint8Array> {
  const bytes = await readBounded(file, FACT_BYTES_MAX);
  if (bytes !== undefined) return bytes;
  throw new FactRefusal('fact_too_large', `the file has more than ${FACT_BYTES_MAX} bytes`);
}

/** UNTRUSTED: the bytes are whatever the source gave. */
function readValue(bytes: Uint8Array, { source, type }: FactSpec): JsonValue {
  const parsed = parseJson(bytes);
  if (!parsed.ok) {
    const { code, line, column } = parsed.error;
    throw new FactRefusal('fact_malformed', `not strict json at ${line}:${column}: ${code}`);
  }
  const value = valueAt(parsed.value, source.pointer);
  if (value === undefined) {
    throw new FactRefusal('fact_malformed', `the answer has nothing at \`${source.pointer}\``);
  }
  const shaped = shape(value, type, source.pointer);
  if (shaped.ok) return shaped.value;
  const message = `the value at \`${shaped.pointer}\` is not of type ${shaped.wanted}`;
  throw new FactRefusal('fact_malformed', message);
}

/** Where a fact came from, for people; a query may hold a key and is left out. */
function nameOf(source: Source): string {
  if (source.kind === 'file') return `file:${source.path}`;
  const url = URL.parse(source.url);
  return url === null ? 'http' : `${url.origin}${url.pathname}`;
}
