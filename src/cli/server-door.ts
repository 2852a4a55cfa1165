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
  policyTest(options: PolicyTestOptions): Promise<PolicyTested>;
  policyPrint(options: PolicyPrintOptions): Promise<PolicyPrinted>;
  inventoryTypes(options: InventoryTypesOptions): Promise<TypesWritten>;
  inventoryProbe(options: InventoryProbeOptions): Promise<InventoryProbed>;
  inventoryImport(options: ImportOptions): Promise<InventoryImported>;
  init(options: InitOptions): Promise<Initialised | Refused>;
  restore(options: RestoreOptions): Promise<RestoreDone | Refused>;
  signingShow(options: SigningShowOptions): Promise<SigningShown | Refused>;
  signingRotate(options: SigningOptions): Promise<SigningDone | Refused>;
  signingRetire(options: SigningOptions): Promise<SigningDone | Refused>;
  replay(options: ReplayOptions): Promise<Replayed | Refused>;
  reconsider(options: ReconsiderOptions): Promise<Reconsidered | PoliciesRefused | Refused>;
  doctor(options: DoctorOptions): Promise<readonly Examined[]>;
}

/** What the commands of signing keys are given: a configuration, a data directory, or neither. */
export interface SigningOptions {
  readonly config: string | undefined;
  readonly data: string | undefined;
  /** Relative paths begin here. */
  readonly from: string;
}

/** What `signing show` is given. */
export interface SigningShowOptions extends SigningOptions {
  /** The log that the policy is for; the newest if absent. */
  readonly log: string | undefined;
}

/** Public keys, for verifiers. */
export interface SigningShown {
  readonly kind: 'shown';
  /** The log that the policy is for. */
  readonly origin: string;
  /** All logs that these keys sign or signed. */
  readonly origins: readonly string[];
  /** Verifier keys (C2SP signed-note), the newest first. */
  readonly keys: readonly string[];
  readonly retired: readonly string[];
  /** All of it as a key policy (C2SP tlog-policy). */
  readonly policy: string;
}

/** A key was made or put aside. */
export interface SigningDone {
  readonly kind: 'done';
  readonly file: string;
}

/** What `restore` is given; relative paths begin at `from`. */
export interface RestoreOptions {
  readonly file: string;
  readonly data: string;
  /** The directory of the signing keys, where it is not in the data directory. */
  readonly keys?: string;
  readonly force: boolean;
  readonly from: string;
}

/** What a restore did. */
export interface RestoreDone {
  readonly kind: 'restored';
  readonly data: string;
  /** RFC 3339: nothing after it is known. */
  readonly knownUntil: string;
  readonly replaced?: string;
  readonly approvalsDropped: number;
}

/** What `replay` is given; relative paths begin at `from`. */
export interface ReplayOptions {
  readonly from: string;
  /** A backup instead of a stopped store. */
  readonly backup: string | undefined;
  /** The data directory of a stopped store; the usual places if absent. */
  readonly data: string | undefined;
  /** The id of an action or its beginning; every decision if absent. */
  readonly action: string | undefined;
  /** Told now and then how many decisions were looked at. */
  readonly progress: (decisions: number) => void;
}

/** What deciding again came to. */
export interface Replayed {
  readonly kind: 'replayed';
  /** The database's file. */
  readonly store: string;
  /** Decisions of the ledger: those that are the same, and the others by why they are not. */
  readonly decisions: number;
  readonly same: number;
  readonly erased: number;
  readonly different: number;
  /** Those that cannot be made again, because something that should be there is not. */
  readonly broken: number;
  /** The first that is different or broken. */
  readonly first?: DifferenceTold;
}

/** A decision that does not come out as the ledger says. */
export interface DifferenceTold {
  readonly code: string;
  readonly id?: string;
  /** Of its entry in the ledger. */
  readonly sequence: number;
  readonly message: string;
  /** Canonical JSON; absent where there is no value. */
  readonly was?: string;
  readonly is?: string;
}

/** What `replay --policy` is given. */
export interface ReconsiderOptions extends ReplayOptions {
  readonly policies: readonly string[];
  /** Instead of the inventory of each decision's own epoch. */
  readonly inventory: string | undefined;
}

/** What another policy would have decided; of each action its newest decision. */
export interface Reconsidered {
  readonly kind: 'reconsidered';
  readonly store: string;
  readonly actions: number;
  readonly unchanged: number;
  readonly erased: number;
  readonly broken: number;
  /** Such as `admit → deny`, with how many. `untold` is what was not recorded then. */
  readonly changes: Readonly<Record<string, number>>;
  /** Rules, or codes where no rule is responsible, with how many they changed. */
  readonly because: readonly {
    readonly name: string;
    readonly place?: string;
    readonly count: number;
  }[];
  /** The first so many that change, in order of the ledger. */
  readonly rows: readonly ReconsideredRow[];
}

/** One action that would have been decided otherwise. */
export interface ReconsideredRow {
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
  readonly target: string;
  readonly operation: string;
  readonly was: string;
  readonly would: string;
  /** Rules or codes; what was not recorded, where it cannot be told. */
  readonly because: readonly string[];
}

/** Policies that no epoch could be made of. */
export interface PoliciesRefused {
  readonly kind: 'problems';
  readonly problems: readonly DocumentProblem[];
}

/** What `doctor` is given. */
export interface DoctorOptions {
  /** The configuration file. */
  readonly config: string;
  readonly data: string | undefined;
  /** Relative paths begin here. */
  readonly from: string;
}

/** One thing that was looked at: good, bad, or something to know. */
export interface Examined {
  readonly mark: 'good' | 'bad' | 'note';
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** What `init` is given. */
export interface InitOptions {
  readonly directory: string;
  /** Relative paths begin here. */
  readonly from: string;
}

/** The files that an empty start has. */
export interface Initialised {
  readonly kind: 'written';
  readonly directory: string;
  readonly files: readonly string[];
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
  /** What relative paths start from. */
  readonly directory: string;
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

/** What `policy test` is given: policies and inventory of the configuration unless they are named. */
export interface PolicyTestOptions {
  /** What relative paths start from. */
  readonly directory: string;
  readonly config: string;
  /** Files of cases; all `*.test.yaml` beside the policies where none are named. */
  readonly files: readonly string[];
  readonly inventory: string | undefined;
  readonly policies: readonly string[];
  /** Only cases whose name contains this. */
  readonly name: string | undefined;
}

/** What became of the cases. None were run where any problem is an error. */
export interface PolicyTested {
  readonly files: readonly string[];
  readonly problems: readonly DocumentProblem[];
  readonly cases: readonly CaseTold[];
  /** Every rule with the cases that it was heard in. */
  readonly rules: readonly {
    readonly id: string;
    readonly effect: string;
    readonly shadow: boolean;
    readonly file: string;
    readonly line: number;
    readonly cases: readonly string[];
  }[];
}

/** One case: what was expected, and what the policy said. */
export interface CaseTold {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly ok: boolean;
  readonly expected: {
    readonly verdict: string;
    readonly findings?: readonly { readonly code: string; readonly rule?: string }[];
  };
  readonly got: {
    readonly verdict: string;
    readonly findings: readonly {
      readonly code: string;
      readonly message: string;
      readonly rule?: string;
    }[];
  };
  readonly matched: readonly string[];
  /** What shadow rules would have done. */
  readonly shadow: readonly { readonly rule: string; readonly would: string }[];
}

/** What `policy print` is given. */
export interface PolicyPrintOptions {
  readonly directory: string;
  readonly file: string;
}

/** The document as text, or why there is none. */
export type PolicyPrinted =
  | { readonly text: string }
  | { readonly text: undefined; readonly code: string; readonly message: string };

/** What `inventory types` is given. */
export interface InventoryTypesOptions {
  readonly directory: string;
  readonly config: string;
  readonly inventory: string | undefined;
}

/** The module's text; `undefined` where the inventory has errors. */
export interface TypesWritten {
  readonly text: string | undefined;
  readonly problems: readonly DocumentProblem[];
}

/** What an import is given. */
export interface ImportOptions {
  readonly from: 'openapi' | 'curl';
  /** A file or an address, or the command line itself. */
  readonly source: string;
  /** Relative paths begin here. */
  readonly directory: string;
  readonly target: string | undefined;
  /** A file that must not be there yet. */
  readonly write: string | undefined;
}

/** An inventory made from something else, or why there is none. */
export type InventoryImported =
  | {
      readonly kind: 'imported';
      readonly text: string;
      readonly operations: number;
      /** Where it was written. */
      readonly file?: string;
      /** What a load would refuse as it stands. */
      readonly problems: readonly DocumentProblem[];
    }
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      /** A character of the line, or a pointer into the document. */
      readonly position?: string;
    };

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
