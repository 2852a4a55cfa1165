/** The schema of `policy.yaml`, and of the files of cases that test it. */
import { FINDING_CODES } from '../../src/kernel/decision.ts';
import { KINDS } from '../../src/kernel/kind.ts';
import { POLICY_LIMITS } from '../../src/kernel/policy/limits.ts';
import {
  anyOf,
  byName,
  CEL,
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
const KIND: Schema = { enum: Object.keys(KINDS) };
const LOCAL: Schema = { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}(?:T\\d{2}:\\d{2})?$' };

function names(name: Schema): Schema {
  return anyOf(oneOrMore(name), members({ not: oneOrMore(name) }, 'not'));
}

const MATCH = members({
  kind: described('The consequence.', names(KIND)),
  target: anyOf(
    names({ type: 'string' }),
    members({
      name: names({ type: 'string' }),
      environment: described(
        'What the system itself says, where it says it.',
        names({ type: 'string' }),
      ),
      owner: names({ type: 'string' }),
      labels: byName({ type: 'string' }, {}),
    }),
  ),
  operation: names({ type: 'string' }),
  class: described(
    'How sure the target itself makes the effect.',
    names({ enum: ['conditional', 'read-then-act', 'unconditioned'] }),
  ),
  principal: members({
    agent: names({ type: 'string' }),
    role: names({ type: 'string' }),
    delegator: names({ type: 'string' }),
  }),
});

const LIMIT_BASE = { name: NAME, by: CEL, per: DURATION };

const REQUIREMENTS: Readonly<Record<string, Schema>> = {
  approval: members(
    {
      from: { type: 'string', pattern: '^(?:role|person):.+$' },
      count: { type: 'integer', minimum: 1, maximum: POLICY_LIMITS.approversMax },
      askFor: described('How long it may be asked.', DURATION),
      validFor: described('From the yes to the crossing.', DURATION),
    },
    'from',
  ),
  confirmation: anyOf({ const: true }, members({ askFor: DURATION, validFor: DURATION })),
  window: anyOf(
    { type: 'string' },
    members({ calendar: { type: 'string' }, lastStart: DURATION }, 'calendar'),
  ),
  fact: members(
    {
      name: { type: 'string' },
      is: CEL,
      maxAge: described('0s: fetched for this decision.', DURATION),
    },
    'name',
  ),
  limit: anyOf(
    members(
      {
        ...LIMIT_BASE,
        count: { type: 'integer', minimum: 0, maximum: POLICY_LIMITS.countMax },
      },
      'name',
      'per',
      'count',
    ),
    members(
      { ...LIMIT_BASE, sum: CEL, max: { type: ['string', 'number'] } },
      'name',
      'per',
      'sum',
      'max',
    ),
  ),
  after: members(
    {
      operation: { type: 'string' },
      target: { type: 'string' },
      within: DURATION,
      atLeast: DURATION,
    },
    'operation',
  ),
  evidence: { type: 'object' },
  authorized: { type: 'object' },
};

const REQUIREMENT = {
  ...members(REQUIREMENTS),
  minProperties: 1,
  maxProperties: 1,
};

const LIST: Schema = {
  type: 'array',
  items: ref('requirement'),
  maxItems: POLICY_LIMITS.requirementsMax,
};

const RULE_BASE = {
  id: NAME,
  match: described('Which actions; every member given must hold.', ref('match')),
  when: CEL,
  shadow: described('Records what it would have done, and does nothing.', { type: 'boolean' }),
};

const RULE = {
  ...members(
    {
      ...RULE_BASE,
      deny: described('The sentence that is shown.', TEXT),
      require: described('Applies together with all others.', { ...LIST, minItems: 1 }),
      allow: described('`true`, or what it takes.', anyOf({ const: true }, LIST)),
    },
    'id',
  ),
  anyOf: ['deny', 'require', 'allow'].map((effect) => ({ required: [effect] })),
};

const PATTERN = anyOf(
  members({ weekly: described('Mon-Fri 22:00-02:00', TEXT) }, 'weekly'),
  members({ rrule: TEXT, start: LOCAL, duration: DURATION }, 'rrule', 'start', 'duration'),
  members({ from: LOCAL, until: LOCAL }, 'from', 'until'),
);

const FACT_TYPE = anyOf(
  { enum: ['string', 'boolean', 'integer', 'decimal', 'instant'] },
  members({ list: ref('factType') }, 'list'),
  members({ object: byName(ref('factType'), IDENTIFIER) }, 'object'),
);

const SOURCE = anyOf(
  members({ file: TEXT, pointer: { type: 'string' } }, 'file'),
  members(
    {
      http: { type: 'string', pattern: '^https?://' },
      pointer: { type: 'string' },
      allow: oneOrMore(TEXT),
    },
    'http',
  ),
);

/** The schema of a policy. */
export const POLICY: Schema = documentSchema('policy', {
  title: 'A policy of Exequatur',
  ...members(
    {
      version: { const: 1 },
      roles: { type: 'array', items: NAME },
      calendars: byName(
        members(
          {
            zone: described('A name of the IANA database, such as Europe/Berlin.', TEXT),
            open: { type: 'array', items: ref('pattern') },
            closed: { type: 'array', items: ref('pattern') },
          },
          'zone',
          'open',
        ),
      ),
      facts: byName(
        members({ type: ref('factType'), source: SOURCE, timeout: DURATION }, 'type', 'source'),
        IDENTIFIER,
      ),
      rules: { type: 'array', items: ref('rule') },
    },
    'version',
  ),
  $defs: {
    rule: RULE,
    match: MATCH,
    requirement: REQUIREMENT,
    pattern: PATTERN,
    factType: FACT_TYPE,
  },
});

// ---------------------------------------------------------------- cases

const ROLES = anyOf(NAME, { type: 'array', items: NAME });
const VERDICT: Schema = { enum: ['admit', 'hold', 'deny'] };
const INSTANT: Schema = { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}[Tt]' };
const FINDING = anyOf(
  { enum: FINDING_CODES },
  members({ code: { enum: FINDING_CODES }, rule: NAME }, 'code'),
);

const SHARED = {
  now: described('The fixed time; the clock is never read.', INSTANT),
  people: byName(anyOf(ROLES, members({ roles: ROLES, aliases: oneOrMore(NAME) }))),
  facts: { type: 'object' },
};

const CASE = members(
  {
    name: TEXT,
    ...SHARED,
    action: members(
      {
        agent: NAME,
        roles: ROLES,
        owners: oneOrMore(NAME),
        delegator: NAME,
        target: NAME,
        operation: NAME,
        args: { type: 'object' },
        deadline: DURATION,
      },
      'agent',
      'target',
      'operation',
    ),
    held: described('For how long it has been held.', DURATION),
    environment: NAME,
    identity: TEXT,
    preview: described('The material part.', { type: 'object' }),
    context: { type: 'object' },
    approvals: {
      type: 'array',
      items: members(
        {
          by: NAME,
          from: described('As the rule says: role:…, person:… or delegator.', TEXT),
          ago: DURATION,
          saw: members({ environment: NAME, preview: { type: 'object' } }),
        },
        'by',
        'from',
      ),
    },
    used: byName({ type: ['string', 'number'] }, {}),
    succeeded: {
      type: 'array',
      items: members({ operation: NAME, target: NAME, ago: DURATION }, 'operation', 'ago'),
    },
    expect: anyOf(
      VERDICT,
      members({ verdict: VERDICT, findings: { type: 'array', items: FINDING } }, 'verdict'),
    ),
  },
  'name',
  'action',
  'expect',
);

/** The schema of a file of cases. */
export const POLICY_TEST: Schema = documentSchema('policy-test', {
  title: 'Cases of a policy of Exequatur',
  ...members(
    {
      version: { const: 1 },
      agents: byName(members({ roles: ROLES, owners: oneOrMore(NAME) })),
      ...SHARED,
      cases: { type: 'array', items: ref('case') },
    },
    'version',
    'cases',
  ),
  $defs: { case: CASE },
});
