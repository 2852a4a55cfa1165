/**
 * What the commands need from the layer itself. The command never imports it: the entry in `bin/`
 * hands it over, and it is loaded only by commands that run or check a layer in this process.
 */
import type { DocumentProblem } from '../protocol/errors.ts';
import type { Terminal } from './terminal.ts';

/** Runs or checks a layer in this process. */
export interface ServerDoor {
  serve(options: ServeOptions): Promise<Ended>;
  dev(options: DevOptions): Promise<Ended>;
  policyCheck(options: PolicyCheckOptions): Promise<PolicyChecked>;
  inventoryProbe(options: InventoryProbeOptions): Promise<InventoryProbed>;
}

/** What `serve` is given. */
export interface ServeOptions {
  readonly terminal: Terminal;
  /** The configuration file. */
  readonly config: string;
  readonly port: number | undefined;
  readonly data: string | undefined;
  /** Told once, when requests are answered. */
  readonly ready: (ready: Ready) => void;
}

/** What `dev` is given. */
export interface DevOptions {
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly port: number | undefined;
  readonly data: string | undefined;
  readonly ephemeral: boolean;
  readonly ready: (ready: Ready) => void;
}

/** A layer that answers. */
export interface Ready {
  readonly url: string;
  readonly pid: number;
  readonly data: string;
  readonly startMs: number;
}

/** Why it ended. `stopped` is the orderly end. */
export type Ended =
  | { readonly kind: 'stopped' }
  | Refused
  | { readonly kind: 'problems'; readonly problems: readonly DocumentProblem[] };

/** Something that cannot be done, as the user reads it. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** What `policy check` is given: the policies of the configuration where none are named. */
export interface PolicyCheckOptions {
  readonly config: string;
  readonly files: readonly string[];
  readonly inventory: string | undefined;
}

/** What a check of a policy found. `warnings` may be among `problems`. */
export interface PolicyChecked {
  readonly files: readonly string[];
  readonly rules: number;
  readonly digest: string | undefined;
  readonly problems: readonly DocumentProblem[];
}

/** What `inventory probe` is given. */
export interface InventoryProbeOptions {
  readonly config: string;
  readonly write: boolean;
}

/** What asking the systems found, beside what was reviewed before. */
export interface InventoryProbed {
  readonly lockFile: string;
  readonly problems: readonly DocumentProblem[];
  /** The lock file line by line: what stays, goes and comes. */
  readonly changes: readonly { readonly sign: ' ' | '-' | '+'; readonly text: string }[];
  /** What could not be found out, by target. */
  readonly failures: readonly { readonly target: string; readonly message: string }[];
  readonly written: boolean;
}
