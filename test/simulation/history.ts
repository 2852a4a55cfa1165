/**
 * What a simulated run leaves behind: everything that an outsider could have seen, in the order of true
 * time. The checker reads nothing else.
 */
import type { OutcomeState } from '../../src/engine/transition.ts';
import { parseJson } from '../../src/kernel/json/parse.ts';
import type { JsonObject, JsonValue } from '../../src/kernel/json/value.ts';

/** A committed ledger entry. */
export interface Entry {
  readonly sequence: number;
  readonly kind: string;
  /** The store's clock. */
  readonly at: number;
  readonly action: string;
  readonly body: JsonObject;
}

/** What was seen. `action`, `execution` and `halt` are ids. */
export type Seen =
  /** Committed just now. */
  | { readonly kind: 'entry'; readonly entry: Entry }
  /** The store's wall clock is this far from true time, from now on. */
  | { readonly kind: 'clock'; readonly aheadMs: number }
  /** An agent proposed: `request` is the digest of the body, `content` the arguments as JSON. */
  | {
      readonly kind: 'proposed';
      readonly agent: string;
      readonly request: string;
      readonly what: string;
      readonly content: string;
      readonly amount: number;
      /** On the wall clock. */
      readonly deadline: number;
      readonly notBefore: number;
    }
  /** A proposal was sent and nobody answered: nobody knows what became of it. */
  | { readonly kind: 'unanswered'; readonly request: string }
  /** The answer to a proposal: what the layer says of the action, or that nothing was executed. */
  | {
      readonly kind: 'told';
      readonly action: string;
      readonly state: string;
      readonly executed: string;
    }
  | { readonly kind: 'refused'; readonly request: string; readonly code: string }
  /** A person answered a hold with this challenge; `accepted` is the layer's reply. */
  | {
      readonly kind: 'answering';
      readonly person: string;
      readonly action: string;
      readonly decision: string;
      readonly challenge: string;
    }
  | {
      readonly kind: 'accepted';
      readonly person: string;
      readonly action: string;
      readonly challenge: string;
    }
  /** A person says what became of an unknown execution. */
  | {
      readonly kind: 'word';
      readonly person: string;
      readonly action: string;
      readonly outcome: string;
    }
  /** A halt was acknowledged by an engine, with what it says was sent. */
  | {
      readonly kind: 'halted';
      readonly halt: string;
      readonly engine: string;
      readonly sent: readonly string[];
    }
  /** The first byte of an execution leaves. */
  | {
      readonly kind: 'began';
      readonly execution: string;
      readonly action: string;
      readonly engine: string;
    }
  /** It is at the target. */
  | {
      readonly kind: 'arrived';
      readonly execution: string;
      readonly action: string;
      readonly content: string;
      /** More than the first only where the network doubled it. */
      readonly copy: number;
      readonly tookHold: boolean;
    }
  /** What the send came to, as its engine heard it. */
  | { readonly kind: 'replied'; readonly execution: string; readonly outcome: OutcomeState }
  /** What a look at the target gave. `honest` is false where the target lied. */
  | {
      readonly kind: 'evidence';
      readonly execution: string;
      readonly outcome: OutcomeState | 'none';
      readonly honest: boolean;
    }
  /** The target lied about this execution in its reply. */
  | { readonly kind: 'lied'; readonly execution: string }
  /** A fact was read; asked at `askedMs` of true time. */
  | { readonly kind: 'fact'; readonly askedMs: number; readonly value: boolean }
  /** Something happened to an engine: started, crashed, frozen, stopped. */
  | { readonly kind: 'engine'; readonly engine: string; readonly what: string }
  /** An engine met something that it did not expect; `broken` where it never should. */
  | {
      readonly kind: 'trouble';
      readonly engine: string;
      readonly code: string;
      readonly broken: boolean;
    }
  /** For the reader of the story only. */
  | { readonly kind: 'note'; readonly text: string }
  /** How an action stands when all is over. */
  | {
      readonly kind: 'ended';
      readonly action: string;
      readonly state: string;
      readonly executed: string;
    };

/** Something seen, in milliseconds of true time since the start. */
export type Happening = { readonly atMs: number } & Seen;

/** A whole run. */
export type History = readonly Happening[];

/** Reads a ledger row's bytes. */
export function entryOf(sequence: number, bytes: Uint8Array): Entry {
  const parsed = parseJson(bytes);
  const value = parsed.ok ? objectOf(parsed.value) : {};
  return {
    sequence,
    kind: textOf(value['kind']),
    at: numberOf(value['at']),
    action: textOf(value['action']),
    body: objectOf(value['body']),
  };
}

/** The value as an object, or an empty one. */
export function objectOf(value: JsonValue | undefined): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return value as JsonObject;
}

/** The value as text, or the empty one. */
export function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** The value as a number, or 0. */
export function numberOf(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}

/** The value as a list, or an empty one. */
export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}
