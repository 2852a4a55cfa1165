/**
 * The inventory as compiled data: targets, operations, typed arguments (DESIGN section 6). The
 * reader in `facts/inventory` makes it from YAML; executors perform the bindings; nothing here acts.
 */
import type { Digest } from './digest.ts';
import type { JsonValue } from './json/value.ts';
import type { Kind } from './kind.ts';

/** The type of an argument. Money and decimals travel as decimal strings, never as JSON numbers. */
export type ArgumentType =
  | { readonly kind: 'string'; readonly lengthMax: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'integer' }
  | { readonly kind: 'decimal' }
  | { readonly kind: 'money'; readonly currency: string; readonly minorDigits: number }
  | { readonly kind: 'date' }
  | { readonly kind: 'instant' }
  | { readonly kind: 'duration' }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'path'; readonly within: string }
  | { readonly kind: 'url'; readonly hosts: readonly string[] }
  /** Names bytes and not a tag: `sha256:` and 64 hex digits, as OCI images and artifacts are pinned. */
  | { readonly kind: 'oci-digest' }
  /** Names a blob that was put before, as `sha256:` and 64 hex digits; programs get a copy of it. */
  | { readonly kind: 'blob' }
  /** Names one of the target's `secrets`; whoever names it never sees its value. */
  | { readonly kind: 'secret'; readonly names: readonly string[] }
  | { readonly kind: 'array'; readonly items: ArgumentType; readonly itemsMax: number }
  | { readonly kind: 'object'; readonly fields: ArgumentFields };

/** The named arguments of an operation, or the members of an object argument. */
export type ArgumentFields = Readonly<Record<string, ArgumentField>>;

/** One argument: its type, and whether it may be absent. */
export interface ArgumentField {
  readonly type: ArgumentType;
  readonly optional: boolean;
}

/** How sure the target itself makes the effect: it checks (conditional), we read then act, or nothing is checked. */
export type PreconditionClass = 'conditional' | 'read-then-act' | 'unconditioned';

/** `env:NAME`, `file:/path` or `exec:/path word…`, kept as text; only executors resolve it. */
export type CredentialReference = string;

/** What a target's executor may lease, by reference only. */
export interface Credentials {
  /** Performs effects. */
  readonly act?: CredentialReference;
  /** Cannot write. */
  readonly look?: CredentialReference;
  /** Writes in transactions that are rolled back, for `preview: rollback`; `act` where it is absent. */
  readonly rollback?: CredentialReference;
  /** Certificates of `act` and `look`, where those are private keys alone; only under `mtls`. */
  readonly certificates?: {
    readonly act?: CredentialReference;
    readonly look?: CredentialReference;
  };
  /** What arguments of the type `secret` stand for, by the name that actions carry. */
  readonly secrets?: Readonly<Record<string, CredentialReference>>;
}

/** A real system that actions act on. */
export interface Target {
  readonly name: string;
  /** `production` unless the inventory says otherwise. */
  readonly environment: string;
  readonly owner?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly executor: ExecutorBinding;
  readonly probe?: Probe;
  readonly credentials: Credentials;
  readonly operations: ReadonlyMap<string, Operation>;
  /** What `inventory probe` found and a person reviewed, from the lock file. */
  readonly locked?: LockedTarget;
}

/** The reviewed findings of a probe: the system's identity and the digests of pinned files by path. */
export interface LockedTarget {
  readonly identity?: string;
  readonly environment?: string;
  readonly files: Readonly<Record<string, Digest>>;
}

/** Which executor serves a target, with what all its operations share. */
export type ExecutorBinding = ProcessTarget | HttpTarget | SqlTarget | FileTarget | PermitTarget;

/** A target whose operations are programs on this machine. */
export interface ProcessTarget {
  readonly kind: 'process';
  /** Absolute working directory. */
  readonly directory: string;
  /** Names of environment variables passed through, and fixed values. Nothing else is passed. */
  readonly environmentNames: readonly string[];
  readonly environmentValues: Readonly<Record<string, string>>;
  /** The variable that carries the credential `act` or `look` into the program, if any. */
  readonly credentialVariable?: string;
  /** What keeps the programs from the layer's own keys and store; absent only in development mode. */
  readonly isolation?: ProcessIsolation;
}

/** What stands between a program and the layer that starts it. */
export type ProcessIsolation =
  /** Nothing, and the operator said so: the program can read whatever the layer can. */
  | { readonly kind: 'same-as-layer' }
  /** Another user of this machine; the layer must run as root to become it. */
  | { readonly kind: 'user'; readonly name: string }
  /** A sandbox by `bwrap` that shows the system's programs, the working directory and these paths. */
  | {
      readonly kind: 'bwrap';
      readonly readOnly: readonly string[];
      readonly writable: readonly string[];
      readonly network: boolean;
    };

/** A target reached by HTTP. */
export interface HttpTarget {
  readonly kind: 'http';
  /** Absolute URL without query or fragment; paths of operations are appended. */
  readonly url: string;
  readonly auth: HttpAuth;
  /** CIDR ranges outside public address space that this target may be reached at, such as `127.0.0.0/8`. */
  readonly addressesAllowed: readonly string[];
}

/** A database. SQLite needs no credential: who may open the file may write to it. */
export interface SqlTarget {
  readonly kind: 'sql';
  readonly engine: 'sqlite' | 'postgres';
  /** Absolute path of a SQLite file, or `postgres://host/database` without a password. */
  readonly location: string;
}

/**
 * How requests show who sends them, and what the credential's text is then:
 *
 * - `bearer`: a token; `basic`: `user:password` (RFC 7617).
 * - `mtls`: a client certificate with its chain and its private key, as PEM, together or apart.
 * - `oauth2`: `client_id:client_secret`, exchanged at `tokenUrl` for a token (RFC 6749 section 4.4).
 * - `sigv4`: `ACCESS_KEY_ID:SECRET`, with `:SESSION` where it is temporary; signs each request.
 */
export type HttpAuth =
  | 'none'
  | 'bearer'
  | 'basic'
  | 'mtls'
  | {
      readonly kind: 'oauth2';
      /** Absolute URL without user, query and fragment. */
      readonly tokenUrl: string;
      readonly scope?: string;
      readonly audience?: string;
    }
  | { readonly kind: 'sigv4'; readonly region: string; readonly service: string };

/** A target whose operations act on files below declared directories. */
export interface FileTarget {
  readonly kind: 'file';
  /** Absolute directories; nothing outside of them is read or changed. */
  readonly roots: readonly string[];
}

/** A target whose executor lies outside the layer: it redeems a permit for each action, and says how it ended. */
export interface PermitTarget {
  readonly kind: 'permit';
  /** The executor's account: it alone redeems and settles. */
  readonly audience: string;
  /** How long a claim is good, from when it is made. */
  readonly validForMs: number;
  /** How long it has from redeeming to settling; after that the outcome is unknown. */
  readonly settleWithinMs: number;
}

/** How the system is asked who it is. */
export type Probe =
  | {
      readonly kind: 'file';
      /** Absolute path of a JSON document; links are followed, and where they lead is part of the identity read. */
      readonly path: string;
      readonly identity: string;
      readonly environment?: ProbeEnvironment;
    }
  | {
      readonly kind: 'http';
      readonly path: string;
      readonly identity: string;
      readonly environment?: ProbeEnvironment;
    }
  | {
      readonly kind: 'sql';
      /** One SELECT without parameters that gives one row, read as a JSON object. */
      readonly statement: string;
      readonly identity: string;
      readonly environment?: ProbeEnvironment;
    };

/** A JSON pointer into the probe's answer, and what its values mean, such as `live` → `production`. */
export interface ProbeEnvironment {
  readonly pointer: string;
  readonly values: Readonly<Record<string, string>>;
}

/** Something that can be done at a target. */
export interface Operation {
  readonly name: string;
  readonly target: string;
  readonly kind: Kind;
  readonly arguments: ArgumentFields;
  /** CEL over `args` and `preview` for each measure that is mapped. */
  readonly measures: Readonly<Record<string, string>>;
  /** CEL over `args` that names the effect, where a success makes a repetition `already_done`. */
  readonly once?: string;
  /** What serialises actions from preview to settlement; the target's name by default. */
  readonly conflictKey: string;
  readonly precondition: PreconditionClass;
  /** Makes things safer: exempt from halts, windows and remote facts. */
  readonly safing: boolean;
  readonly timeoutMs: number;
  /** Argument names whose values agents may see in findings. */
  readonly visibleToAgents: readonly string[];
  readonly binding: OperationBinding;
  /** Digest of the whole definition, target's executor settings included. */
  readonly digest: Digest;
}

/** What an operation does, by executor. */
export type OperationBinding =
  ProcessOperation | HttpOperation | SqlOperation | FileOperation | PermitOperation;

/** A word of an argv, or a value in a request: literal text, or references among it. */
export type Template = readonly TemplatePart[];

/** Literal text, an argument (with an optional part such as `minor`), or the execution's id. */
export type TemplatePart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'argument'; readonly path: readonly string[] }
  | { readonly kind: 'execution' };

/** Runs a program. */
export interface ProcessOperation {
  readonly kind: 'process';
  /** The first word is an absolute path without references. */
  readonly run: readonly Template[];
  /** Variables of the program besides those of its target; a look is given none of them. */
  readonly environment?: Readonly<Record<string, Template>>;
  /** Absolute paths of files pinned by digest besides the executable. */
  readonly files: readonly string[];
  readonly exits: Readonly<Record<string, 'succeeded' | 'failed' | 'not_executed' | 'unknown'>>;
  readonly outputBytesMax: number;
  readonly memoryBytesMax?: number;
  /** A read-only program whose JSON output is the preview. */
  readonly preview?: {
    readonly run: readonly Template[];
    /** The output is a plan as `terraform show -json` writes it, and its changes are the material part. */
    readonly as?: 'terraform-plan';
    readonly material: readonly string[];
    readonly context: readonly string[];
  };
  /** A read-only program that says by exit code what became of an execution. */
  readonly reconcile?: {
    readonly run: readonly Template[];
    readonly exits: Readonly<Record<string, 'succeeded' | 'failed' | 'not_executed' | 'unknown'>>;
  };
}

/** Sends a request. */
export interface HttpOperation {
  readonly kind: 'http';
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path below the target's URL; a part in braces is one encoded segment. */
  readonly path: Template;
  readonly query: Readonly<Record<string, Template>>;
  readonly headers: Readonly<Record<string, Template>>;
  readonly body:
    | { readonly kind: 'none' }
    | { readonly kind: 'form'; readonly fields: Readonly<Record<string, Template>> }
    | { readonly kind: 'json'; readonly value: BodyTemplate };
  /** Status codes declared otherwise than the defaults (2xx succeeded, 4xx failed, 5xx unknown). */
  readonly statuses: Readonly<Record<string, 'succeeded' | 'failed' | 'not_executed' | 'unknown'>>;
  readonly responseBytesMax: number;
  readonly preview?: {
    readonly path: Template;
    readonly query: Readonly<Record<string, Template>>;
    /** JSON pointers into the answer; the last tokens name the members of the preview. */
    readonly material: readonly string[];
    readonly context: readonly string[];
  };
  /** `preview`: send `If-Match` with the ETag that the preview's answer carried. */
  readonly ifMatch?: 'preview';
  readonly reconcile?: {
    readonly path: Template;
    readonly query: Readonly<Record<string, Template>>;
    /** Dotted path, in each member of the answer's list (or the answer), that must equal the execution's id. */
    readonly find: string;
    /** The target refuses a late arrival of the same execution, so absence is conclusive. */
    readonly absenceConclusive: boolean;
  };
}

/** An argument that stands in a statement as a bound parameter. */
export interface SqlParameter {
  readonly name: string;
  readonly type: ArgumentType;
}

/** Performs one statement, which was parsed and written anew when the inventory was loaded. */
export interface SqlOperation {
  readonly kind: 'sql';
  readonly sort: 'select' | 'insert' | 'update' | 'delete';
  readonly table: string;
  /** With `$1`, `$2` … (PostgreSQL) or `?1`, `?2` … (SQLite) for `parameters`. Writes return their keys. */
  readonly statement: string;
  readonly parameters: readonly SqlParameter[];
  readonly preview?: SqlPreview;
  /** Of an insert: how many rows it writes. */
  readonly rowsInserted?: number;
  /** More rows are refused. */
  readonly rowsMax: number;
  readonly lockTimeoutMs: number;
  /** Table `(execution TEXT PRIMARY KEY, state TEXT NOT NULL)` that gets a row for each execution. */
  readonly marker?: string;
}

/** How it is seen beforehand which rows a statement acts on. `key` is the columns that name a row. */
export type SqlPreview =
  /** Of an update or a delete: a SELECT made from its condition, which writes nothing. */
  | {
      readonly kind: 'select';
      readonly key: readonly string[];
      /** SELECT of the keys that the statement acts on. */
      readonly look: string;
      /** The same, locking the rows until the transaction ends. */
      readonly lock: string;
      /** How many of the operation's `parameters` the two use; they come first. */
      readonly parametersCount: number;
    }
  /** The statement itself, rolled back: the one preview that writes, and only where it is declared. */
  | {
      readonly kind: 'rollback';
      /** None: rows are counted only. */ readonly key: readonly string[];
    };

/** Acts on one regular file below a root of its target. */
export interface FileOperation {
  readonly kind: 'file';
  readonly action: FileAction;
  /** The largest file, found or written, in bytes. */
  readonly bytesMax: number;
  /** Always: the file as it is and as it would be. */
  readonly preview: 'before-and-after';
}

/** What an executor elsewhere does: the action itself is all that is said of it. */
export interface PermitOperation {
  readonly kind: 'permit';
  /** Nobody here can see what it would do. */
  readonly preview?: undefined;
}

/** What is done to a file. Paths are absolute once their arguments stand in them. */
export type FileAction =
  /** Makes the file, or replaces it as a whole. */
  | { readonly kind: 'write'; readonly path: Template; readonly content: Template }
  /** Gives the file another name, which nothing may have yet. */
  | { readonly kind: 'move'; readonly from: Template; readonly to: Template }
  | { readonly kind: 'delete'; readonly path: Template }
  | { readonly kind: 'read'; readonly path: Template };

/** A JSON body with templates at its leaves; a leaf that is one whole argument keeps the argument's JSON type. */
export type BodyTemplate =
  | { readonly kind: 'template'; readonly template: Template }
  | { readonly kind: 'constant'; readonly value: JsonValue }
  | { readonly kind: 'array'; readonly items: readonly BodyTemplate[] }
  | { readonly kind: 'object'; readonly members: Readonly<Record<string, BodyTemplate>> };

/** All targets, with the digest that an epoch names. */
export interface Inventory {
  readonly targets: ReadonlyMap<string, Target>;
  readonly digest: Digest;
}

/** Names of targets whose programs can read whatever the layer can, by the operator's own word or by saying nothing. */
export function sameUserTargets({ targets }: Inventory): readonly string[] {
  return [...targets.values()].flatMap(({ name, executor }) => {
    if (executor.kind !== 'process') return [];
    const { isolation } = executor;
    return isolation === undefined || isolation.kind === 'same-as-layer' ? [name] : [];
  });
}
