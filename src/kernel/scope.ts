/**
 * What expressions read: each reference is looked up when it is first read, and converted once for
 * one decision.
 *
 * `preview` is the material part, which people consent to; `context` is the other part, with its age.
 * `target.environment` is what the system itself said. Where it was not asked yet and could answer
 * otherwise than the inventory, the environment is missing.
 */
import { argumentValues } from './argument-value.ts';
import type { DecisionInput, Gathered } from './decision.ts';
import { compiledOperation, measuresOfKind } from './operation-expressions.ts';
import { conform } from './expression/conform.ts';
import { Failure, isObject, Timestamp, valueOfJson } from './expression/value.ts';
import { typeOfMeasure } from './expression/value-type.ts';
import type { Operation } from './inventory.ts';
import type { JsonObject } from './json/value.ts';
import type { Evaluated, Readable, Scope } from './policy/compiled.ts';

type Read = Evaluated<unknown>;

/** How the value under a root, or under a root's first member, is found. */
type ReadRoot = (root: string, member: string | undefined) => Read;

/** The scope of one decision. */
export function scopeOf(input: DecisionInput): Scope {
  const scope: Scope = {
    input,
    read: reader((root, member) => readRoot(scope, root, member)),
  };
  return scope;
}

/** The scope with `fact` as the fact of this name, for what a fact requirement asks. */
export function factScopeOf(scope: Scope, name: string): Scope {
  return {
    input: scope.input,
    read: (reference) => {
      const isFact = reference === 'fact' || reference.startsWith('fact.');
      return scope.read(isFact ? `facts.${name}${reference.slice('fact'.length)}` : reference);
    },
  };
}

/** The scope of an operation's `once`: its arguments and nothing else. */
export function scopeOfArguments(operation: Operation, args: JsonObject): Readable {
  const values = valuesOf(operation, args);
  return {
    read: reader((root) =>
      root === 'args' ? known(values) : notYet(root, `\`${root}\` is not known here`),
    ),
  };
}

/** Reads references through a cache: the root with its first member as one step, then member by member. */
function reader(readFirst: ReadRoot): Scope['read'] {
  const cache = new Map<string, Read>();
  return (reference) => {
    const cached = cache.get(reference);
    if (cached !== undefined) return cached;
    const { root, member, first, names } = pathOf(reference);
    let read = cache.get(first);
    // mutant: what is read again is the same.
    if (read === undefined) {
      read = readFirst(root, member);
      cache.set(first, read);
    }
    // mutant: then there are no members to read.
    if (first === reference) return read;
    for (const name of names) read = readMember(read, name, reference);
    cache.set(reference, read);
    return read;
  };
}

/** A reference taken apart. */
interface ReferencePath {
  readonly root: string;
  readonly member: string | undefined;
  /** What is read in one step, itself a reference: the root, or the root with its member. */
  readonly first: string;
  /** The members below that. */
  readonly names: readonly string[];
}

/** By reference: expressions name the same few in every decision. */
const paths = new Map<string, ReferencePath>();
// mutant: how many are kept is not to be seen.
const PATHS_CACHED_MAX = 10_000;

function pathOf(reference: string): ReferencePath {
  const found = paths.get(reference);
  // mutant: what is taken apart again is the same.
  if (found !== undefined) return found;
  // mutant: a text has a first part.
  const [root = '', ...members] = reference.split('.');
  const [member, ...rest] = members;
  // mutant: a root without a member is one step under any name.
  const isWhole = member === undefined || WHOLE_ROOTS.has(root);
  const path: ReferencePath = isWhole
    ? { root, member, first: root, names: members }
    : { root, member, first: `${root}.${member}`, names: rest };
  // mutant: what is not kept is taken apart again.
  if (paths.size < PATHS_CACHED_MAX) paths.set(reference, path);
  return path;
}

/** Roots whose members are all there once one is. The others find each member by itself. */
const WHOLE_ROOTS = new Set(['args', 'preview', 'context', 'operation', 'principal']);

function readMember(of: Read, name: string, reference: string): Read {
  if (of.kind !== 'value') return of;
  if (!isObject(of.value))
    return { kind: 'error', message: `\`${reference}\` is not a member of an object` };
  const member = Object.hasOwn(of.value, name) ? of.value[name] : undefined;
  if (member === undefined) return absent(reference, `\`${reference}\` is not given`);
  return known(valueOfJson(member));
}

function readRoot(scope: Scope, root: string, member: string | undefined): Read {
  const { input } = scope;
  switch (root) {
    case 'args':
      return readArguments(input);
    case 'measures':
      // mutant: no expression reads it whole.
      return readMeasure(scope, member ?? '');
    case 'preview':
      return readPreview(input, 'material');
    case 'context':
      return readPreview(input, 'context');
    case 'target':
      // mutant: no expression reads it whole.
      return readTarget(input, member ?? '');
    case 'operation':
      return readOperation(input);
    case 'principal':
      return readPrincipal(input);
    case 'facts':
      // mutant: no expression reads it whole.
      return readFact(input, member ?? '');
    case 'now':
      return known(new Timestamp(input.now));
    default:
      return notYet(root, `\`${root}\` is not known here`);
  }
}

function readArguments(input: DecisionInput): Read {
  if (input.operation === undefined) return notYet('args', 'the operation is not known');
  return known(valuesOf(input.operation, input.action.args));
}

/** The last conversion of an action's frozen arguments: one advance decides about them several times. */
const converted = new WeakMap<
  JsonObject,
  { readonly operation: Operation; readonly values: object }
>();

function valuesOf(operation: Operation, args: JsonObject): object {
  const before = converted.get(args);
  if (before?.operation === operation) return before.values;
  const values = argumentValues(operation.arguments, args);
  // Whoever froze the outside froze the inside: parsed arguments are frozen deeply.
  if (Object.isFrozen(args)) converted.set(args, { operation, values: Object.freeze(values) });
  return values;
}

function readMeasure(scope: Scope, name: string): Read {
  const { operation } = scope.input;
  const reference = `measures.${name}`;
  if (operation === undefined) return notYet(reference, 'the operation is not known');
  const type = measuresOfKind(operation.kind)[name];
  const expression = compiledOperation(operation).measures.get(name);
  // mutant: what has no type has no expression.
  if (type === undefined || expression === undefined) {
    return absent(reference, `\`${operation.name}\` does not say \`${reference}\``);
  }
  const measured = expression.evaluate(scope);
  if (measured.kind !== 'value') return measured;
  const value = conform(measured.value, typeOfMeasure(type));
  if (value instanceof Failure)
    return { kind: 'error', message: `\`${reference}\`: ${value.message}` };
  return known(value);
}

function readPreview(input: DecisionInput, part: 'material' | 'context'): Read {
  const root = part === 'material' ? 'preview' : 'context';
  const { preview } = input;
  if (preview.kind !== 'known') return notYet(root, reasonOf('the preview', preview));
  if (preview.value === 'none') return absent(root, 'the operation has no preview');
  return known(preview.value[part]);
}

function readTarget(input: DecisionInput, member: string): Read {
  const { target } = input;
  const reference = `target.${member}`;
  if (member === 'name') return known(input.action.target);
  if (target === undefined) return notYet(reference, 'the target is not known');
  if (member === 'labels') return known(target.labels);
  if (member === 'environment') return readEnvironment(input);
  if (member !== 'owner' || target.owner === undefined)
    return absent(reference, `\`${reference}\` is not given`);
  return known(target.owner);
}

/** The environment as the system says it, or the inventory where the system has no say. */
export function readEnvironment(input: DecisionInput): Evaluated<string> {
  const { target, resolution } = input;
  if (resolution.kind === 'known') return known(resolution.value.environment);
  const reference = 'target.environment';
  if (target === undefined) return notYet(reference, 'the target is not known');
  if (target.probe?.environment === undefined) return known(target.environment);
  return notYet(reference, reasonOf('the environment', resolution));
}

function readOperation({ action, operation }: DecisionInput): Read {
  if (operation === undefined) return notYet('operation', 'the operation is not known');
  return known({ name: action.operation, kind: operation.kind, class: operation.precondition });
}

function readPrincipal({ action, local }: DecisionInput): Read {
  const { agent, delegator } = action.principal;
  if (local.agent === undefined) return notYet('principal', 'the agent is not known');
  return known({
    agent,
    roles: local.agent.roles,
    ...(delegator === undefined ? {} : { delegator }),
  });
}

function readFact({ facts }: DecisionInput, name: string): Read {
  const fact = Object.hasOwn(facts, name) ? facts[name] : undefined;
  if (fact?.kind === 'known') return known(valueOfJson(fact.value.value));
  // mutant (text): what did not fail was not asked.
  return notYet(`facts.${name}`, reasonOf(`the fact \`${name}\``, fact ?? { kind: 'absent' }));
}

function reasonOf(
  what: string,
  gathered: Exclude<Gathered<unknown>, { readonly kind: 'known' }>,
): string {
  return gathered.kind === 'failed'
    ? `${what} is not known: ${gathered.message}`
    : `${what} is not known yet`;
}

function known<Value>(value: Value): { readonly kind: 'value'; readonly value: Value } {
  return { kind: 'value', value };
}

function notYet(reference: string, message: string): Extract<Read, { readonly kind: 'missing' }> {
  return { kind: 'missing', reference, message };
}

function absent(reference: string, message: string): Extract<Read, { readonly kind: 'missing' }> {
  return { kind: 'missing', reference, message, absent: true };
}
