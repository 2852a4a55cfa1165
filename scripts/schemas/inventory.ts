/** The schema of `inventory.yaml` and of its lock file. */
import { KINDS } from '../../src/kernel/kind.ts';
import {
  anyOf,
  byName,
  described,
  documentSchema,
  DURATION,
  members,
  NAME,
  oneOrMore,
  ref,
  TEXT,
  type Schema,
} from './parts.ts';

const IDENTIFIER: Schema = { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9_]{0,63}$' };
const POINTER: Schema = { type: 'string', pattern: '^(?:/(?:[^~/]|~[01])*)+$' };
const POINTERS = oneOrMore(POINTER);
const SIZE = anyOf(
  { type: 'integer', minimum: 1 },
  { type: 'string', pattern: '^\\d{1,12}(?:KiB|MiB|GiB)$' },
);
const OUTCOME: Schema = { enum: ['succeeded', 'failed', 'not_executed', 'unknown'] };
const WORDS: Schema = {
  type: 'array',
  items: { type: ['string', 'number', 'boolean'] },
  minItems: 1,
};
const VARIABLE: Schema = { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$' };
const TEMPLATES = byName({ type: ['string', 'number', 'boolean'] }, {});
const CREDENTIAL: Schema = {
  type: 'string',
  pattern: '^(?:env:[A-Za-z_]|file:.|exec:.)',
  description: 'A reference, never the secret itself: env:NAME, file:/path, exec:/path word.',
};

// ---------------------------------------------------------------- targets

const HTTP = anyOf(
  { type: 'string', pattern: '^https?://' },
  members(
    {
      url: { type: 'string', pattern: '^https?://' },
      auth: anyOf(
        { enum: ['none', 'bearer', 'basic', 'mtls'] },
        members(
          { oauth2: members({ tokenUrl: TEXT, scope: TEXT, audience: TEXT }, 'tokenUrl') },
          'oauth2',
        ),
        members({ sigv4: members({ region: TEXT, service: TEXT }, 'region', 'service') }, 'sigv4'),
      ),
      allow: described(
        'Ranges outside public address space that are meant, such as 10.20.0.0/16.',
        oneOrMore(TEXT),
      ),
    },
    'url',
  ),
);

const PROCESS = anyOf(
  TEXT,
  members(
    {
      cwd: TEXT,
      environment: described('Names of variables that are passed on.', oneOrMore(VARIABLE)),
      set: byName({ type: 'string' }, VARIABLE),
      credential: described('The variable that carries the credential.', VARIABLE),
      user: TEXT,
      sandbox: anyOf(
        { const: 'bwrap' },
        members(
          {
            bwrap: members({
              readOnly: oneOrMore(TEXT),
              writable: oneOrMore(TEXT),
              network: { type: 'boolean' },
            }),
          },
          'bwrap',
        ),
      ),
    },
    'cwd',
  ),
);

const MEANING = members({ field: POINTER, values: byName(NAME, {}) }, 'field', 'values');
const PROBES = {
  GET: members({ GET: TEXT, field: POINTER, environment: MEANING }, 'GET', 'field'),
  file: members({ file: TEXT, field: POINTER, environment: MEANING }, 'file', 'field'),
  sql: members({ sql: TEXT, field: POINTER, environment: MEANING }, 'sql', 'field'),
} as const;

/** How a target is reached, with what goes with that: how it is probed, and which operations it has. */
const EXECUTORS = {
  http: { place: described('Reached by HTTP.', HTTP), probe: 'GET', operation: 'request' },
  process: {
    place: described('Worked on by programs of this machine.', PROCESS),
    probe: 'file',
    operation: 'program',
  },
  postgres: {
    place: described('postgres://user@host:5432/database, without a password.', TEXT),
    probe: 'sql',
    operation: 'statement',
  },
  sqlite: {
    place: described('The path of a database file.', TEXT),
    probe: 'sql',
    operation: 'statement',
  },
  file: {
    place: described(
      'Files below these directories.',
      members({ roots: oneOrMore(TEXT) }, 'roots'),
    ),
    probe: 'file',
    operation: 'change',
  },
  permit: {
    place: described(
      'Its executor lies elsewhere and redeems a permit for each action.',
      members(
        {
          audience: described('The account of the executor.', NAME),
          validFor: described('How long a claim is good.', DURATION),
          settleWithin: described('How long it has to say how it ended.', DURATION),
        },
        'audience',
      ),
    ),
    probe: undefined,
    operation: 'elsewhere',
  },
} as const;

const KEY_APART = anyOf(
  CREDENTIAL,
  members({ certificate: CREDENTIAL, key: CREDENTIAL }, 'certificate', 'key'),
);

const TARGET = anyOf(
  ...Object.entries(EXECUTORS).map(([executor, { place, probe, operation }]) => {
    const credential = executor === 'http' ? KEY_APART : CREDENTIAL;
    return members(
      {
        environment: described('Production unless said otherwise.', NAME),
        owner: NAME,
        labels: byName(TEXT),
        credentials: members({
          act: credential,
          look: described('Cannot write; for probes and previews.', credential),
          ...(executor === 'postgres'
            ? { rollback: described('For preview: rollback; act where it is absent.', CREDENTIAL) }
            : {}),
          secrets: described('What arguments of the type secret(NAME) name.', byName(CREDENTIAL)),
        }),
        ...(probe === undefined
          ? {}
          : { probe: described('How the system is asked who it is.', PROBES[probe]) }),
        [executor]: place,
        operations: byName(ref(operation)),
      },
      executor,
      'operations',
    );
  }),
);

// ---------------------------------------------------------------- operations

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const REQUEST = {
  ...members({
    ...Object.fromEntries(METHODS.map((method) => [method, TEXT])),
    query: TEMPLATES,
    headers: TEMPLATES,
    form: TEMPLATES,
    json: {},
  }),
  anyOf: METHODS.map((method) => ({ required: [method] })),
};

const COMMON = {
  kind: described('The consequence; rules match by it.', { enum: Object.keys(KINDS) }),
  args: byName(ref('argument'), IDENTIFIER),
  measures: byName({ type: ['string', 'integer'] }, {}),
  once: described('CEL over args that names the effect.', TEXT),
  conflict: described('What actions wait for each other by; the target unless given.', NAME),
  safing: described('Makes things safer: exempt from halts and windows.', { type: 'boolean' }),
  timeout: DURATION,
  visible: described('Arguments whose values agents see in findings.', oneOrMore(TEXT)),
};

const preview = (schema: Schema): Schema => described('What it would do right now.', schema);
const reconcile = (schema: Schema): Schema =>
  described('How it is found out what became of an execution.', schema);

const REQUEST_OPERATION = members(
  {
    ...COMMON,
    request: REQUEST,
    output: SIZE,
    preview: preview(
      members({ GET: TEXT, query: TEMPLATES, material: POINTERS, context: POINTERS }, 'GET'),
    ),
    ifMatch: { const: 'preview' },
    statuses: byName(OUTCOME, { type: 'string', pattern: '^[2-5]\\d\\d$' }),
    reconcile: reconcile(
      members(
        {
          GET: TEXT,
          query: TEMPLATES,
          find: TEXT,
          absence: { enum: ['conclusive', 'inconclusive'] },
        },
        'GET',
        'find',
      ),
    ),
  },
  'kind',
  'request',
);

const PROGRAM_OPERATION = members(
  {
    ...COMMON,
    run: described('Words, never a shell. The first is a path of its own.', WORDS),
    env: described(
      'Variables of the program; a secret is one whole value.',
      byName({ type: ['string', 'number', 'boolean'] }, VARIABLE),
    ),
    files: oneOrMore(TEXT),
    exits: byName(OUTCOME, { type: 'string', pattern: '^\\d{1,3}$' }),
    output: SIZE,
    memory: SIZE,
    preview: preview(
      members(
        { run: WORDS, as: { const: 'terraform-plan' }, material: POINTERS, context: POINTERS },
        'run',
      ),
    ),
    reconcile: reconcile(members({ run: WORDS, exits: byName(OUTCOME, {}) }, 'run', 'exits')),
  },
  'kind',
  'run',
);

const STATEMENT_OPERATION = members(
  {
    ...COMMON,
    sql: described('One statement; arguments are bound as :name.', TEXT),
    output: SIZE,
    key: described('The columns that together name a row.', oneOrMore(TEXT)),
    max: members({ rows: { type: 'integer', minimum: 1 } }, 'rows'),
    lockTimeout: DURATION,
    preview: described('Runs the statement and takes it back; needs a lockTimeout of at most 5s.', {
      const: 'rollback',
    }),
    reconcile: reconcile(members({ marker: TEXT }, 'marker')),
  },
  'kind',
  'sql',
);

const CHANGES: Readonly<Record<string, Schema>> = {
  write: members({ path: TEXT, content: TEXT }, 'path', 'content'),
  move: members({ from: TEXT, to: TEXT }, 'from', 'to'),
  delete: members({ path: TEXT }, 'path'),
  read: members({ path: TEXT }, 'path'),
};

const CHANGE_OPERATION = anyOf(
  ...Object.entries(CHANGES).map(([change, schema]) =>
    members({ ...COMMON, [change]: schema, size: SIZE }, 'kind', change),
  ),
);

/** What an executor elsewhere does is known to it alone; its time is the target's. */
const ELSEWHERE_OPERATION = members(
  Object.fromEntries(Object.entries(COMMON).filter(([key]) => key !== 'timeout')),
  'kind',
);

const LONG = { optional: { type: 'boolean' }, max: { type: 'integer', minimum: 1 } };
const ARGUMENT = anyOf(
  {
    type: 'string',
    minLength: 1,
    description:
      'string(200), integer, money(EUR), date, enum(a,b), path(./dir), list(string, 500)?',
  },
  members({ type: TEXT, ...LONG }, 'type'),
  members({ list: ref('argument'), ...LONG }, 'list'),
  members({ object: byName(ref('argument'), IDENTIFIER), ...LONG }, 'object'),
  members({ enum: { type: 'array', items: TEXT, minItems: 1 }, ...LONG }, 'enum'),
);

/** The schema of an inventory. */
export const INVENTORY: Schema = documentSchema('inventory', {
  title: 'An inventory of Exequatur',
  ...members({ version: { const: 1 }, targets: byName(ref('target')) }, 'version', 'targets'),
  $defs: {
    target: TARGET,
    request: REQUEST_OPERATION,
    program: PROGRAM_OPERATION,
    statement: STATEMENT_OPERATION,
    change: CHANGE_OPERATION,
    elsewhere: ELSEWHERE_OPERATION,
    argument: ARGUMENT,
  },
});

/** The schema of a lock file. */
export const INVENTORY_LOCK: Schema = documentSchema('inventory-lock', {
  title: 'What an inventory of Exequatur was found to mean',
  ...members(
    {
      version: { const: 1 },
      targets: byName(
        members({
          identity: TEXT,
          environment: NAME,
          files: byName({ type: 'string', pattern: '^[0-9a-f]{64}$' }, {}),
        }),
        {},
      ),
    },
    'version',
    'targets',
  ),
});
