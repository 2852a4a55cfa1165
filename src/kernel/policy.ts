/**
 * The policy as compiled data (DESIGN section 5). `policy/compile.ts` makes it from a document tree
 * and refuses what is unknown, ill-typed, too costly or can never match; `decide.ts` judges by it.
 */
import type { Digest } from './digest.ts';
import type { Position } from './document.ts';
import type { JsonObject } from './json/value.ts';
import type { Kind } from './kind.ts';
import type { PreconditionClass } from './inventory.ts';

/** What a rule does when it matches. */
export type RuleEffect = 'deny' | 'require' | 'allow';

/** Which actions a rule is about. Every member given must hold; an empty `Match` holds for all. */
export interface Match {
  readonly kinds?: NameSet<Kind>;
  readonly targets?: NameSet<string>;
  readonly environments?: NameSet<string>;
  readonly owners?: NameSet<string>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly operations?: NameSet<string>;
  readonly classes?: NameSet<PreconditionClass>;
  readonly agents?: NameSet<string>;
  readonly roles?: NameSet<string>;
  readonly delegators?: NameSet<string>;
}

/** A set of names, or everything but it. */
export interface NameSet<Name extends string> {
  readonly names: readonly Name[];
  readonly negated: boolean;
}

/** One condition that a rule asks for. Durations are milliseconds. */
export type Requirement =
  | {
      readonly kind: 'approval';
      readonly from: { readonly role: string } | { readonly person: string };
      readonly count: number;
      readonly askForMs?: number;
      readonly validForMs: number;
    }
  | { readonly kind: 'confirmation'; readonly askForMs?: number; readonly validForMs: number }
  | {
      readonly kind: 'window';
      readonly calendar: string;
      /** The action must start at least this long before the window ends; the operation's timeout if absent. */
      readonly lastStartMs?: number;
    }
  | {
      readonly kind: 'fact';
      readonly name: string;
      /** CEL over `fact` (the value) and everything a `when` sees; the value itself must be true if absent. */
      readonly is?: string;
      /** 0: fetched in this `advance`. */
      readonly maxAgeMs: number;
    }
  | {
      readonly kind: 'limit';
      readonly name: string;
      /** CEL to a string; one counter a value. */
      readonly by?: string;
      readonly perMs: number;
      readonly bound:
        | { readonly kind: 'count'; readonly count: number }
        /** `sum` is CEL to a decimal or an integer; `max` a decimal string. */
        | { readonly kind: 'sum'; readonly sum: string; readonly max: string };
    }
  | {
      readonly kind: 'after';
      readonly operation: string;
      /** The acted-on target itself if absent. */
      readonly target?: string;
      /** How long ago at most, and at least, it succeeded. */
      readonly withinMs?: number;
      readonly atLeastMs?: number;
    }
  /** Declared for later layers; answers `undetermined`. */
  | { readonly kind: 'evidence' | 'authorized'; readonly declaration: JsonObject };

/** A requirement with its identity: equal requirements of several rules are one. */
export interface IdentifiedRequirement {
  readonly digest: Digest;
  readonly requirement: Requirement;
  readonly position: Position;
}

/** One rule. */
export interface Rule {
  readonly id: string;
  readonly effect: RuleEffect;
  readonly match: Match;
  /** CEL source; absent means always. */
  readonly when?: string;
  /** The sentence of a `deny`. */
  readonly message?: string;
  /** Empty for `deny`. */
  readonly requires: readonly IdentifiedRequirement[];
  /** Records what it would have done, and does nothing. */
  readonly shadow: boolean;
  readonly position: Position;
}

/** How a weekly or recurring window is written; evaluated by `facts/calendar`. */
export interface CalendarSpec {
  readonly name: string;
  readonly zone: string;
  /** Times when it is open. A local time that a clock change repeats or skips is open only where every reading agrees. */
  readonly open: readonly CalendarPattern[];
  /** Freezes: times when it is closed whatever `open` says. Ambiguous times are closed. */
  readonly closed: readonly CalendarPattern[];
  readonly position: Position;
}

/** One pattern of local time. Minutes count from midnight; an end at or before its start is on the next day. */
export type CalendarPattern =
  | {
      readonly kind: 'weekly';
      /** ISO weekdays on which it starts, 1 Monday to 7 Sunday. */
      readonly days: readonly number[];
      readonly startMinute: number;
      readonly endMinute: number;
    }
  | {
      readonly kind: 'rrule';
      readonly start: string;
      readonly rule: string;
      readonly durationMs: number;
    }
  /** From one local date-time to another, as `2026-12-20T00:00`. */
  | { readonly kind: 'span'; readonly from: string; readonly until: string };

/** A live value that rules may name. */
export interface FactSpec {
  readonly name: string;
  readonly type: FactType;
  readonly source: FactSource;
  readonly timeoutMs: number;
  readonly position: Position;
}

/** The declared shape of a fact's value. */
export type FactType =
  | { readonly kind: 'string' | 'boolean' | 'integer' | 'decimal' | 'instant' }
  | { readonly kind: 'list'; readonly items: FactType }
  | { readonly kind: 'object'; readonly fields: Readonly<Record<string, FactType>> };

/** Where a fact comes from: a JSON file, or an HTTP GET whose answer is JSON. */
export type FactSource =
  | { readonly kind: 'file'; readonly path: string; readonly pointer: string }
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly pointer: string;
      readonly addressesAllowed: readonly string[];
    };

/** A compiled policy. Only `compilePolicy` makes one: `decide` refuses anything else. */
export interface Policy {
  readonly digest: Digest;
  readonly rules: readonly Rule[];
  readonly roles: readonly string[];
  readonly calendars: ReadonlyMap<string, CalendarSpec>;
  readonly facts: ReadonlyMap<string, FactSpec>;
}
