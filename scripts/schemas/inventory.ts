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
const PROBE = anyOf(
  members({ GET: TEXT, field: POINTER, environment: MEANING }, 'GET', 'field'),
  members({ file: TEXT, field: POINTER, environment: MEANING }, 'file', 'field'),
  members({ sql: TEXT, field: POINTER, environment: MEANING }, 'sql', 'field'),
);

const EXECUTORS: Readonly<Record<string, Schema>> = {
  http: described('Reached by HTTP.', HTTP),
  process: described('Worked on by programs of this machine.', PROCESS),
  postgres: described('postgres://user@host:5432/database, without a password.', TEXT),
  sqlite: described('The path of a database file.', TEXT),
  file: described('Files below these directories.', members({ roots: oneOrMore(TEXT) }, 'roots')),
};

const TARGET = {
  ...members(
    {
      environment: described('Production unless said otherwise.', NAME),
      owner: NAME,
      labels: byName(TEXT),
      credentials: members({
        act: CREDENTIAL,
        look: described('Cannot write; for probes and previews.', CREDENTIAL),
        secrets: described('What arguments of the type secret(NAME) name.', byName(CREDENTIAL)),
      }),
      probe: described('How the system is asked who it is.', PROBE),
      ...EXECUTORS,
      operations: byName(ref('operation')),
    },
    'operations',
  ),
  anyOf: Object.keys(EXECUTORS).map((executor) => ({ required: [executor] })),
};

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

const PREVIEW = anyOf(
  members({ GET: TEXT, query: TEMPLATES, material: POINTERS, context: POINTERS }, 'GET'),
  members({ run: WORDS, material: POINTERS, context: POINTERS }, 'run'),
);

const RECONCILE = anyOf(
  members(
    { GET: TEXT, query: TEMPLATES, find: TEXT, absence: { enum: ['conclusive', 'inconclusive'] } },
    'GET',
    'find',
  ),
  members({ run: WORDS, exits: byName(OUTCOME, {}) }, 'run', 'exits'),
  members({ marker: TEXT }, 'marker'),
);

const ACTIONS: Readonly<Record<string, Schema>> = {
  request: REQUEST,
  run: described('Words, never a shell. The first is a path of its own.', WORDS),
  sql: described('One statement; arguments are bound as :name.', TEXT),
  write: members({ path: TEXT, content: TEXT }, 'path', 'content'),
  move: members({ from: TEXT, to: TEXT }, 'from', 'to'),
  delete: members({ path: TEXT }, 'path'),
  read: members({ path: TEXT }, 'path'),
};

const OPERATION = {
  ...members(
    {
      kind: described('The consequence; rules match by it.', { enum: Object.keys(KINDS) }),
      args: byName(ref('argument'), IDENTIFIER),
      ...ACTIONS,
      preview: described('What it would do right now.', PREVIEW),
      measures: byName({ type: ['string', 'integer'] }, {}),
      once: described('CEL over args that names the effect.', TEXT),
      conflict: described('What actions wait for each other by; the target unless given.', NAME),
      safing: described('Makes things safer: exempt from halts and windows.', { type: 'boolean' }),
      timeout: DURATION,
      output: SIZE,
      memory: SIZE,
      size: SIZE,
      visible: described('Arguments whose values agents see in findings.', oneOrMore(TEXT)),
      reconcile: described('How it is found out what became of an execution.', RECONCILE),
      statuses: byName(OUTCOME, { type: 'string', pattern: '^[2-5]\\d\\d$' }),
      exits: byName(OUTCOME, { type: 'string', pattern: '^\\d{1,3}$' }),
      ifMatch: { const: 'preview' },
      files: oneOrMore(TEXT),
      key: TEXT,
      max: members({ rows: { type: 'integer', minimum: 1 } }, 'rows'),
      lockTimeout: DURATION,
    },
    'kind',
  ),
  anyOf: Object.keys(ACTIONS).map((action) => ({ required: [action] })),
};

const LONG = { optional: { type: 'boolean' }, max: { type: 'integer', minimum: 1 } };
const ARGUMENT = anyOf(
  {
    type: 'string',
    minLength: 1,
    description: 'string(200), integer, money(EUR), date, enum(a,b), path(./dir), list(string)?',
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
  $defs: { target: TARGET, operation: OPERATION, argument: ARGUMENT },
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
