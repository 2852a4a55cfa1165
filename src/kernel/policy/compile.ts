/**
 * Makes a policy from its documents and the inventory it is about, when an epoch is loaded. What is
 * unknown, ill-typed, too costly or can never match is refused, and everything wrong is reported at
 * once. A policy is checked against one inventory: a new inventory compiles it anew.
 */
import type { DocumentNode, Problem } from '../document.ts';
import { DocumentReader, type Members } from '../document-reader.ts';
import type { Inventory } from '../inventory.ts';
import { candidateFinder } from './candidates.ts';
import { policyDigest } from './canonical.ts';
import type { CompiledPolicy, CompiledRule } from './compiled.ts';
import { POLICY_LIMITS } from './limits.ts';
import { indexedMatching } from './matching.ts';
import { readCalendars } from './read-calendar.ts';
import { readFacts } from './read-fact.ts';
import { readRule } from './read-rule.ts';
import { knownNames, type PolicyReading } from './reading.ts';

/** A policy, unless there are errors; warnings come with a policy. */
export interface PolicyResult {
  readonly policy: CompiledPolicy | undefined;
  readonly problems: readonly Problem[];
}

const policies = new WeakSet<object>();

/** Whether {@link compilePolicy} made this: `decide` judges by nothing else. */
export function isPolicy(value: object): value is CompiledPolicy {
  return policies.has(value);
}

/** Compiles several documents to one policy; names are shared by all of them and each is declared once. */
export function compilePolicy(parts: {
  readonly documents: readonly DocumentNode[];
  readonly inventory: Inventory;
}): PolicyResult {
  const reader = new DocumentReader();
  const reading: PolicyReading = {
    reader,
    inventory: parts.inventory,
    names: knownNames(parts.inventory),
    roles: new Set(),
    calendars: new Map(),
    facts: new Map(),
  };
  const documents = parts.documents.flatMap((document) => readDocument(reading, document) ?? []);
  // Rules may name what another document declares, so all declarations are read first.
  for (const members of documents) readDeclarations(reading, members);
  const compiled = readRules(reading, documents);
  if (reader.errorCount > 0) return { policy: undefined, problems: reader.problems };
  return { policy: policyOf(reading, compiled), problems: reader.problems };
}

function policyOf(
  { inventory, roles, calendars, facts }: PolicyReading,
  compiled: readonly CompiledRule[],
): CompiledPolicy {
  const rules = compiled.map(({ rule }) => rule);
  const policy: CompiledPolicy = Object.freeze({
    digest: policyDigest({ rules, roles, calendars, facts }),
    rules,
    roles: [...roles].sort(),
    calendars,
    facts,
    inventory,
    compiled,
    matching: indexedMatching(compiled),
  });
  policies.add(policy);
  return policy;
}

function readDocument({ reader }: PolicyReading, document: DocumentNode): Members | undefined {
  const members = reader.mapping(document, {
    what: 'policy',
    required: ['version'],
    optional: ['roles', 'calendars', 'facts', 'rules'],
  });
  const version = members?.get('version');
  // mutant: what is no scalar has no value.
  if (version !== undefined && (version.kind !== 'scalar' || version.value !== 1n)) {
    const message = 'the version of a policy is 1';
    reader.error({
      code: 'bad_version',
      position: version.position,
      message,
      hint: 'write `version: 1`',
    });
  }
  return members;
}

function readDeclarations(reading: PolicyReading, members: Members): void {
  const { reader, roles } = reading;
  const [rolesNode, calendars, facts] = [
    members.get('roles'),
    members.get('calendars'),
    members.get('facts'),
  ];
  for (const node of rolesNode === undefined ? [] : (reader.list(rolesNode, 'roles') ?? [])) {
    const role = reader.name(node, 'role');
    if (role === undefined) continue;
    // Several documents may use one role, and each may say so.
    roles.add(role);
  }
  if (calendars !== undefined) readCalendars(reading, calendars);
  if (facts !== undefined) readFacts(reading, facts);
}

/** The rules of all documents, sorted by id. */
function readRules(reading: PolicyReading, documents: readonly Members[]): readonly CompiledRule[] {
  const { reader } = reading;
  const nodes = documents.flatMap((members) => {
    const node = members.get('rules');
    return node === undefined ? [] : (reader.list(node, 'rules') ?? []);
  });
  const surplus = nodes[POLICY_LIMITS.rulesMax];
  if (surplus !== undefined) {
    const message = `the policy has ${String(nodes.length)} rules, at most ${String(POLICY_LIMITS.rulesMax)} are allowed`;
    reader.error({ code: 'too_many_rules', position: surplus.position, message });
    return [];
  }
  const find = candidateFinder(reading);
  const byId = new Map<string, CompiledRule>();
  for (const node of nodes) {
    const compiled = readRule(reading, node, find);
    if (compiled === undefined) continue;
    const { id, position } = compiled.rule;
    const other = byId.get(id)?.rule.position;
    if (other === undefined) byId.set(id, compiled);
    else {
      const message = `the rule \`${id}\` is given twice, first at ${other.file}:${String(other.line)}`;
      reader.error({ code: 'duplicate_rule', position, message, hint: 'choose another id' });
    }
  }
  // mutant (boundary): no two rules have one id.
  // mutant (constant): only the sign counts.
  return [...byId.values()].sort((left, right) => (left.rule.id < right.rule.id ? -1 : 1));
}
