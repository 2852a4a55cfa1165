/** Reads one rule and compiles its expressions; what is wrong with it is noted with its position. */
import type { DocumentNode, Position, ScalarNode } from '../document.ts';
import type { Members } from '../document-reader.ts';
import { compileExpression, type ExpressionResults } from '../expression.ts';
import type { Environment } from '../expression/checking.ts';
import { withFact } from '../expression/roots.ts';
import { typeOfFact } from '../expression/value-type.ts';
import type { Match, Rule, RuleEffect } from '../policy.ts';
import { compiledOperation } from '../operation-expressions.ts';
import type { Candidates, FindCandidates } from './candidates.ts';
import { requirementDigest } from './canonical.ts';
import type { CompiledRequirement, CompiledRule, Expression } from './compiled.ts';
import { readMatch } from './read-match.ts';
import { readExpression, readRequirements, type ReadRequirement } from './read-requirement.ts';
import type { PolicyReading } from './reading.ts';

const EFFECTS: readonly RuleEffect[] = ['deny', 'require', 'allow'];

/** The rule, or `undefined` where it has no id or no effect. */
export function readRule(
  reading: PolicyReading,
  node: DocumentNode,
  find: FindCandidates,
): CompiledRule | undefined {
  const { reader } = reading;
  const members = reader.mapping(node, {
    what: 'rule',
    required: ['id'],
    optional: ['match', 'when', ...EFFECTS, 'shadow'],
  });
  if (members === undefined) return undefined;
  const idNode = members.get('id');
  const id = idNode === undefined ? undefined : reader.name(idNode, 'id');
  const effect = readEffect(reading, members);
  const matchNode = members.get('match');
  const errorsBefore = reader.errorCount;
  const match = matchNode === undefined ? {} : readMatch(reading, matchNode);
  const candidates = find(match);
  // A match that could not be read whole says nothing about what it could hold for.
  if (reader.errorCount === errorsBefore) {
    noteNoCandidates(reading, { match, candidates, position: members.positionOf('match') });
  }
  const context: RuleContext = { reading, candidates };
  const when = readWhen(context, members);
  const requires = effect === undefined ? [] : readRequires(context, members, effect);
  const shadowNode = members.get('shadow');
  const shadow = shadowNode === undefined ? false : reader.boolean(shadowNode, 'shadow');
  const message = effect === 'deny' ? readMessage(reading, members) : undefined;
  if (id === undefined || effect === undefined || shadow === undefined) return undefined;
  const rule: Rule = {
    id,
    effect,
    match,
    ...(when === undefined ? {} : { when: when.source }),
    ...(message === undefined ? {} : { message }),
    requires: requires.map(({ identified }) => identified),
    shadow,
    position: idNode?.position ?? members.position,
  };
  return { rule, when, requires };
}

interface RuleContext {
  readonly reading: PolicyReading;
  readonly candidates: Candidates;
}

function readEffect({ reader }: PolicyReading, members: Members): RuleEffect | undefined {
  const given = EFFECTS.filter((effect) => members.get(effect) !== undefined);
  const [first, second] = given;
  if (first !== undefined && second === undefined) return first;
  if (first === undefined || second === undefined) {
    return reader.error({
      code: 'no_effect',
      position: members.position,
      message: 'the rule does nothing',
      hint: 'add `deny:`, `require:` or `allow:`',
    });
  }
  return reader.error({
    code: 'two_effects',
    position: members.positionOf(second),
    message: `a rule has one of \`${first}\` and \`${second}\``,
    hint: 'write two rules',
  });
}

function readMessage({ reader }: PolicyReading, members: Members): string | undefined {
  const node = members.get('deny');
  return node === undefined ? undefined : reader.text(node, 'deny');
}

function noteNoCandidates(
  { reader, inventory, names }: PolicyReading,
  {
    match,
    candidates,
    position,
  }: { readonly match: Match; readonly candidates: Candidates; readonly position: Position },
): void {
  if (candidates.operations.length > 0 || names.operations.size === 0) return;
  const kinds = match.kinds?.negated === false ? match.kinds.names : [];
  const used = new Set(
    [...inventory.targets.values()].flatMap((target) =>
      [...target.operations.values()].map((operation) => operation.kind),
    ),
  );
  if (kinds.length > 0 && kinds.every((kind) => !used.has(kind))) {
    const message = `no operation of the inventory is of kind \`${kinds.join('`, `')}\` yet`;
    reader.warning({ code: 'kind_unused', position, message });
    return;
  }
  reader.error({
    code: 'never_matches',
    position,
    message: 'the rule can never match: no operation of the inventory is all of this',
    hint: 'look at target, operation, kind, environment and labels together',
  });
}

function readWhen(context: RuleContext, members: Members): Expression<boolean> | undefined {
  const node = readExpression(context.reading, members.get('when'), 'when');
  if (node === undefined) return undefined;
  const { environment } = context.candidates;
  const when = compileAt(context, { node, environment, result: 'boolean' });
  if (when === undefined) return undefined;
  noteNever(context, when, node);
  return when;
}

/** A condition without references is the same for every action; where it is false the rule is dead. */
function noteNever({ reading }: RuleContext, when: Expression<boolean>, node: ScalarNode): void {
  const dead = when.clauses.find((clause) => {
    if (clause.references.length > 0) return false;
    const constant = clause.evaluate(NOTHING);
    return constant.kind !== 'value' || !constant.value;
  });
  if (dead === undefined) return;
  const message = `the rule can never match: \`${dead.source}\` is never true`;
  reading.reader.error({
    code: 'never_matches',
    position: positionIn(node, when.source.indexOf(dead.source)),
    message,
  });
}

const NOTHING = {
  read: (reference: string) =>
    ({ kind: 'missing', reference, message: 'nothing is known' }) as const,
};

function readRequires(
  context: RuleContext,
  members: Members,
  effect: RuleEffect,
): readonly CompiledRequirement[] {
  const { reading } = context;
  const node = members.get(effect);
  if (node === undefined || effect === 'deny') return [];
  if (effect === 'allow' && node.kind === 'scalar' && node.value === true) return [];
  const read = readRequirements(reading, node, effect);
  if (effect === 'require' && node.kind === 'sequence' && node.items.length === 0) {
    reading.reader.error({
      code: 'empty',
      position: node.position,
      message: 'require is an empty list',
    });
  }
  const compiled = read.map((requirement) => compileRequirement(context, requirement));
  const seen = new Set<string>();
  return compiled.filter(({ identified }) => {
    const repeated = seen.has(identified.digest);
    seen.add(identified.digest);
    return !repeated;
  });
}

function compileRequirement(context: RuleContext, read: ReadRequirement): CompiledRequirement {
  const { requirement, node, expressions } = read;
  const { environment } = context.candidates;
  const identified = {
    digest: requirementDigest(requirement),
    requirement,
    position: positionOfKey(node),
  };
  const is =
    expressions.is &&
    compileAt(context, {
      node: expressions.is,
      environment: factEnvironment(context, read),
      result: 'boolean',
    });
  const by =
    expressions.by && compileAt(context, { node: expressions.by, environment, result: 'text' });
  const sum =
    expressions.sum && compileAt(context, { node: expressions.sum, environment, result: 'number' });
  return {
    identified,
    ...(is === undefined ? {} : { is }),
    ...(by === undefined ? {} : { by }),
    ...(sum === undefined ? {} : { sum }),
  };
}

function factEnvironment(
  { reading, candidates }: RuleContext,
  { requirement }: ReadRequirement,
): Environment {
  const fact = requirement.kind === 'fact' ? reading.facts.get(requirement.name) : undefined;
  if (fact === undefined) return candidates.environment;
  return withFact(candidates.environment, typeOfFact('fact', fact.type));
}

/** A requirement's key stands before it and is what people look for. */
function positionOfKey(node: DocumentNode): Position {
  return (node.kind === 'mapping' ? node.entries[0]?.keyPosition : undefined) ?? node.position;
}

interface ExpressionAt<Result extends keyof ExpressionResults> {
  readonly node: ScalarNode;
  readonly environment: Environment;
  readonly result: Result;
}

function compileAt<Result extends keyof ExpressionResults>(
  context: RuleContext,
  { node, environment, result }: ExpressionAt<Result>,
): Expression<ExpressionResults[Result]> | undefined {
  const compiled = compileExpression(node.text, { environment, result });
  const { reader } = context.reading;
  if ('problems' in compiled) {
    for (const { code, message, hint, start } of compiled.problems) {
      const isUnsure = node.respelled || node.text.includes('\n');
      const place = isUnsure ? ` (at \`${excerpt(node.text, start)}\`)` : '';
      reader.error({
        code,
        position: positionIn(node, start),
        message: `${message}${place}`,
        hint,
      });
    }
    return undefined;
  }
  noteUnmapped(context, compiled.expression, node);
  return compiled.expression;
}

function excerpt(source: string, start: number): string {
  return source.slice(start, start + 30).split('\n', 1)[0] ?? '';
}

/** Where a part of an expression stands; of a text that the source spells otherwise, its beginning. */
function positionIn(node: ScalarNode, offset: number): Position {
  const at = node.contentAt ?? node.position;
  const before = node.text.slice(0, offset).split('\n');
  // A document written in TypeScript does not know where its lines stand.
  const isOfLines = before.length > 1 && node.contentAt === undefined;
  if (node.respelled || isOfLines) return at;
  const { length } = before.at(-1) ?? '';
  // Lines of a block all begin in the same column.
  return { ...at, line: at.line + before.length - 1, column: at.column + length };
}

/** A measure that an operation does not map is missing there, which is easily overlooked. */
function noteUnmapped(
  { reading, candidates }: RuleContext,
  expression: Expression<unknown>,
  node: ScalarNode,
): void {
  for (const reference of expression.references) {
    const [root, name = ''] = reference.split('.');
    if (root !== 'measures' || expression.source.includes(`has(${reference})`)) continue;
    const without = candidates.operations.find(
      (operation) => !compiledOperation(operation).measures.has(name),
    );
    if (without === undefined) continue;
    reading.reader.warning({
      code: 'measure_unmapped',
      position: positionIn(node, Math.max(0, expression.source.indexOf(reference))),
      message: `\`${without.name}\` of \`${without.target}\` can match and does not say \`${reference}\``,
      hint: `map it in the inventory, or ask with has(${reference})`,
    });
  }
}
