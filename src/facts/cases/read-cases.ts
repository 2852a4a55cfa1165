/**
 * Reads files of policy cases, strictly: a case that names an unknown rule, role, fact or limit would
 * test nothing, so it is an error with its position.
 */
import { didYouMean } from '../../kernel/did-you-mean.ts';
import { FINDING_CODES } from '../../kernel/decision.ts';
import type { DocumentNode, Problem } from '../../kernel/document.ts';
import { DocumentReader, type Members } from '../../kernel/document-reader.ts';
import { parseAgentName, parsePersonName, type PersonName } from '../../kernel/id.ts';
import { addMs, parseInstant, type Instant } from '../../kernel/instant.ts';
import type { CompiledPolicy } from '../../kernel/policy/compiled.ts';
import {
  CASE_LIMITS,
  type CaseAgent,
  type CasePerson,
  type ExpectedFinding,
  type PolicyCase,
} from './policy-case.ts';
import {
  readApprovals,
  readFacts,
  readObject,
  readSucceeded,
  readUsed,
  type CaseReading,
} from './read-circumstances.ts';

/** The cases of a file, none where anything is wrong with it. */
export interface CasesRead {
  readonly cases: readonly PolicyCase[];
  readonly problems: readonly Problem[];
}

const SHARED = ['now', 'people', 'facts'] as const;
const OF_FILE = ['agents', ...SHARED] as const;
const OWN = [
  'held',
  'environment',
  'identity',
  'preview',
  'context',
  'approvals',
  'used',
  'succeeded',
] as const;

/** Reads a document of cases about this policy. Codes: `DOCUMENT_CODES`, `CASE_CODES`. */
export function readCases(document: DocumentNode, policy: CompiledPolicy): CasesRead {
  const reader = new DocumentReader();
  const members = reader.mapping(document, {
    what: 'file of cases',
    required: ['version', 'cases'],
    optional: OF_FILE,
  });
  const version = members?.get('version');
  if (version !== undefined) reader.integer(version, 'version', { min: 1, max: 1 });
  const node = members?.get('cases');
  const nodes = node === undefined ? [] : (reader.list(node, 'cases') ?? []);
  const surplus = nodes[CASE_LIMITS.casesMax];
  if (surplus !== undefined) {
    const message = `a file has at most ${String(CASE_LIMITS.casesMax)} cases`;
    reader.error({ code: 'out_of_range', position: surplus.position, message });
    return { cases: [], problems: reader.problems };
  }
  const names = new Set<string>();
  const cases = nodes.flatMap((each) => {
    const read = readCase({ reader, policy }, each, members);
    if (read === undefined) return [];
    if (names.has(read.name)) {
      const message = `the case \`${read.name}\` is given twice`;
      reader.error({ code: 'duplicate_name', position: read.position, message });
    }
    names.add(read.name);
    return read;
  });
  return { cases: reader.errorCount > 0 ? [] : cases, problems: reader.problems };
}

interface Sources {
  /** Members of the case, and those that it shares with all others of its file. */
  readonly own: Members;
  readonly shared: Members | undefined;
}

function readCase(
  of: { readonly reader: DocumentReader; readonly policy: CompiledPolicy },
  node: DocumentNode,
  shared: Members | undefined,
): PolicyCase | undefined {
  const { reader } = of;
  const own = reader.mapping(node, {
    what: 'case',
    required: ['name', 'action', 'expect'],
    optional: [...SHARED, ...OWN],
  });
  if (own === undefined) return undefined;
  const nameNode = own.get('name');
  const name = nameNode === undefined ? undefined : reader.text(nameNode, 'name');
  const now = readNow(reader, { own, shared });
  if (now === undefined) return undefined;
  const reading: CaseReading = {
    ...of,
    now,
    people: new Map([
      ...readPeople(of, shared?.get('people')),
      ...readPeople(of, own.get('people')),
    ]),
  };
  const held = own.get('held');
  const heldMs = held === undefined ? 0 : readAge(reader, held, 'held');
  const proposedAt = addMs(now, -(heldMs ?? 0));
  const action = readAction(reading, own.get('action'), {
    proposedAt,
    agents: shared?.get('agents'),
  });
  const expected = readExpected(reading, own.get('expect'));
  const preview = own.get('preview');
  const material = preview === undefined ? undefined : readObject(reader, preview, 'preview');
  const parts = {
    context: readObject(reader, own.get('context'), 'context') ?? {},
    facts: new Map([
      ...readFacts(reading, shared?.get('facts')),
      ...readFacts(reading, own.get('facts')),
    ]),
    approvals: readApprovals(reading, own.get('approvals')),
    used: readUsed(reading, own.get('used')),
    succeeded: readSucceeded(reading, own.get('succeeded')),
  };
  const environment = readName(reader, own, 'environment');
  const identity = readText(reader, own, 'identity');
  if (name === undefined || action === undefined || expected === undefined) return undefined;
  return {
    name,
    position: nameNode?.position ?? own.position,
    now,
    proposedAt,
    ...action,
    ...(environment === undefined ? {} : { environment }),
    ...(identity === undefined ? {} : { identity }),
    ...(material === undefined ? {} : { preview: material }),
    ...parts,
    people: reading.people,
    expected,
  };
}

function readName(reader: DocumentReader, members: Members, key: string): string | undefined {
  const node = members.get(key);
  return node === undefined ? undefined : reader.name(node, key);
}

function readText(reader: DocumentReader, members: Members, key: string): string | undefined {
  const node = members.get(key);
  return node === undefined ? undefined : reader.text(node, key);
}

function readAge(reader: DocumentReader, node: DocumentNode, what: string): number | undefined {
  return reader.duration(node, what, { min: 0, max: CASE_LIMITS.durationMsMax });
}

function readNow(reader: DocumentReader, { own, shared }: Sources): Instant | undefined {
  const node = own.get('now') ?? shared?.get('now');
  if (node === undefined) {
    return reader.error({
      code: 'missing_key',
      position: own.position,
      message: 'the case has no `now`',
      hint: 'add `now: 2026-11-24T22:30:00Z` to it or to the whole file: a case never reads the clock',
    });
  }
  const text = reader.string(node, 'now');
  const now = text === undefined ? undefined : parseInstant(text);
  if (text === undefined || now !== undefined) return now;
  return reader.error({
    code: 'bad_instant',
    position: node.position,
    message: `now \`${text}\` is not an instant`,
    hint: 'such as 2026-11-24T22:30:00Z',
  });
}

// ---------------------------------------------------------------- who acts, and on what

type ReadAction = Pick<
  PolicyCase,
  'agent' | 'delegator' | 'target' | 'operation' | 'args' | 'deadline'
>;

function readAction(
  reading: CaseReading,
  node: DocumentNode | undefined,
  {
    proposedAt,
    agents,
  }: { readonly proposedAt: Instant; readonly agents: DocumentNode | undefined },
): ReadAction | undefined {
  const { reader } = reading;
  if (node === undefined) return undefined;
  const members = reader.mapping(node, {
    what: 'action',
    required: ['agent', 'target', 'operation'],
    optional: ['roles', 'owners', 'delegator', 'args', 'deadline'],
  });
  if (members === undefined) return undefined;
  const agent = readAgent(reading, members, agents);
  const delegatorNode = members.get('delegator');
  const delegator =
    delegatorNode === undefined ? undefined : readPerson(reading, delegatorNode, 'delegator');
  // What the inventory does not know may be what the case is about, so it is no error here.
  const target = readName(reader, members, 'target');
  const operation = readName(reader, members, 'operation');
  const args = readObject(reader, members.get('args'), 'args') ?? {};
  const deadlineNode = members.get('deadline');
  const range = { min: 1, max: CASE_LIMITS.durationMsMax };
  const deadlineMs =
    deadlineNode === undefined ? undefined : reader.duration(deadlineNode, 'deadline', range);
  if (agent === undefined || target === undefined || operation === undefined) return undefined;
  return {
    agent,
    ...(delegator === undefined ? {} : { delegator }),
    target,
    operation,
    args,
    deadline: addMs(proposedAt, deadlineMs ?? CASE_LIMITS.deadlineMsDefault),
  };
}

/** Roles and owners stand with the action, or under `agents:` for all cases of the file. */
function readAgent(
  reading: CaseReading,
  members: Members,
  agents: DocumentNode | undefined,
): CaseAgent | undefined {
  const { reader } = reading;
  const text = readName(reader, members, 'agent');
  const name = text === undefined ? undefined : parseAgentName(text);
  const entries = agents === undefined ? [] : (reader.entries(agents, 'agents') ?? []);
  const known = entries.find(({ key }) => key === name)?.value;
  const shared = known && reader.mapping(known, { what: 'agent', optional: ['roles', 'owners'] });
  const roles = readRoles(reading, members.get('roles') ?? shared?.get('roles'));
  const ownersNode = members.get('owners') ?? shared?.get('owners');
  const owners = ownersNode === undefined ? [] : (reader.oneOrMore(ownersNode, 'owners') ?? []);
  return name === undefined
    ? undefined
    : { name, roles, owners: owners.flatMap((each) => readPerson(reading, each, 'owner') ?? []) };
}

function readRoles(
  { reader, policy }: Pick<CaseReading, 'reader' | 'policy'>,
  node: DocumentNode | undefined,
): readonly string[] {
  if (node === undefined) return [];
  const items =
    node.kind === 'sequence' && node.items.length === 0
      ? []
      : (reader.oneOrMore(node, 'roles') ?? []);
  return items.flatMap((item) => {
    const role = reader.name(item, 'role');
    if (role === undefined || policy.roles.includes(role)) return role ?? [];
    reader.error({
      code: 'unknown_role',
      position: item.position,
      message: `the policy has no role \`${role}\``,
      hint: didYouMean(role, policy.roles),
    });
    return [];
  });
}

function readPerson(
  { reader, people }: CaseReading,
  node: DocumentNode,
  what: string,
): PersonName | undefined {
  const text = reader.name(node, what);
  const name = text === undefined ? undefined : parsePersonName(text);
  if (name === undefined || people.has(name)) return name;
  return reader.error({
    code: 'unknown_person',
    position: node.position,
    message: `there is no person \`${name}\``,
    hint: didYouMean(name, people.keys()) ?? 'add them under `people:` with their roles',
  });
}

/** `mei: [payments-lead]`, or `mei: { roles: [...], aliases: [...] }`. */
function readPeople(
  of: Pick<CaseReading, 'reader' | 'policy'>,
  node: DocumentNode | undefined,
): ReadonlyMap<PersonName, CasePerson> {
  const { reader } = of;
  const people = new Map<PersonName, CasePerson>();
  for (const { key, keyPosition, value } of node === undefined
    ? []
    : (reader.entries(node, 'people') ?? [])) {
    const name = reader.isName(key, keyPosition, 'person') ? parsePersonName(key) : undefined;
    const members =
      value.kind === 'mapping'
        ? reader.mapping(value, { what: 'person', optional: ['roles', 'aliases'] })
        : undefined;
    const roles = readRoles(of, value.kind === 'mapping' ? members?.get('roles') : value);
    const aliasesNode = members?.get('aliases');
    const aliases =
      aliasesNode === undefined ? [] : (reader.oneOrMore(aliasesNode, 'aliases') ?? []);
    const names = aliases.flatMap((alias) => {
      const text = reader.name(alias, 'alias');
      return (text === undefined ? undefined : parsePersonName(text)) ?? [];
    });
    if (name !== undefined) people.set(name, { roles, aliases: names });
  }
  return people;
}

// ---------------------------------------------------------------- what is expected

const VERDICTS = ['admit', 'hold', 'deny'] as const;

/** `expect: deny`, or `expect: { verdict: hold, findings: [approval_missing] }`. */
function readExpected(
  reading: CaseReading,
  node: DocumentNode | undefined,
): PolicyCase['expected'] | undefined {
  const { reader } = reading;
  if (node === undefined) return undefined;
  if (node.kind !== 'mapping') {
    const verdict = reader.oneOf(node, 'expect', VERDICTS);
    return verdict === undefined ? undefined : { verdict };
  }
  const members = reader.mapping(node, {
    what: 'expect',
    required: ['verdict'],
    optional: ['findings'],
  });
  const verdictNode = members?.get('verdict');
  const verdict =
    verdictNode === undefined ? undefined : reader.oneOf(verdictNode, 'verdict', VERDICTS);
  const findingsNode = members?.get('findings');
  if (verdict === undefined) return undefined;
  if (findingsNode === undefined) return { verdict };
  const items = reader.list(findingsNode, 'findings') ?? [];
  return { verdict, findings: items.flatMap((item) => readFinding(reading, item) ?? []) };
}

function readFinding(
  { reader, policy }: CaseReading,
  node: DocumentNode,
): ExpectedFinding | undefined {
  if (node.kind !== 'mapping') {
    const code = reader.oneOf(node, 'finding', FINDING_CODES);
    return code === undefined ? undefined : { code };
  }
  const members = reader.mapping(node, { what: 'finding', required: ['code'], optional: ['rule'] });
  const [codeNode, ruleNode] = [members?.get('code'), members?.get('rule')];
  const code = codeNode === undefined ? undefined : reader.oneOf(codeNode, 'code', FINDING_CODES);
  const rule = ruleNode === undefined ? undefined : reader.name(ruleNode, 'rule');
  if (code === undefined) return undefined;
  const ids = policy.rules.map(({ id }) => id);
  if (rule === undefined || ids.includes(rule)) return { code, ...(rule && { rule }) };
  return reader.error({
    code: 'unknown_rule',
    position: ruleNode?.position ?? node.position,
    message: `the policy has no rule \`${rule}\``,
    hint: didYouMean(rule, ids),
  });
}
