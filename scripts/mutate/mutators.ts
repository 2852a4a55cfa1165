/**
 * The changes that are tried on a source. Each stands for a mistake that a person could make: a condition
 * that is always true or false, a clause that is forgotten, a boundary that is one off, a statement that
 * is missing, another operator, constant or method, a list that is empty, a value that is not frozen.
 *
 * Left out on purpose: types (they do not run), the wording of messages (texts with a blank), what an
 * exhaustive switch ends in (`satisfies never`), and changes that another one implies: where dropping
 * each clause of a condition is found, swapping `&&` for `||` is found too.
 */
import { childrenOf, nodeAt, nodesAt, type Syntax, type SyntaxNode } from './syntax.ts';

/** One change: what stands from `start` to `end` becomes `text`, or a statement is left out. */
export interface Mutant {
  /** Counts from 1 in the order of the source. */
  readonly id: number;
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly mutator: string;
  readonly change: Change;
}

/** What takes the place of the original. */
export type Change =
  { readonly kind: 'expression'; readonly text: string } | { readonly kind: 'removal' };

type Found = Omit<Mutant, 'id' | 'line'>;
type Seeker = (node: SyntaxNode, text: string) => readonly (readonly [string, string])[];

/**
 * Where an expression stands decides which of its truth values would be another mutant again. What is
 * negated is `told`: the negation says both for it.
 */
type Place = 'value' | 'condition' | 'and' | 'or' | 'told';

/** Every mutant of the source, in its order. */
export function mutantsOf(syntax: Syntax): readonly Mutant[] {
  const found: Found[] = [];
  seek(
    { node: syntax.program, place: 'value', inEquality: false },
    { text: syntax.text, found, spared: new Set() },
  );
  const ordered = found.sort((left, right) => left.start - right.start || right.end - left.end);
  return ordered.map((mutant, index) => ({
    ...mutant,
    id: index + 1,
    line: lineOf(syntax.text, mutant.start),
  }));
}

/** The line, from 1, of an index. */
export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

interface Sight {
  readonly node: SyntaxNode;
  readonly place: Place;
  /** Whether it is compared for equality, where another text only makes the comparison false. */
  readonly inEquality: boolean;
}

interface Search {
  readonly text: string;
  readonly found: Found[];
  /** Statements whose absence changes nothing. */
  readonly spared: Set<SyntaxNode>;
}

function seek(sight: Sight, search: Search): void {
  const { node } = sight;
  const { text, found, spared } = search;
  const exit = lastExit(node);
  if (exit !== undefined) spared.add(exit);
  if (isUnreachable(node)) return;
  for (const [mutator, replacement] of expressionChanges(sight, text)) {
    const change = { kind: 'expression', text: replacement } as const;
    found.push({ start: node.start, end: node.end, mutator, change });
  }
  if (isRemovable(node) && !spared.has(node)) {
    const change = { kind: 'removal' } as const;
    found.push({ start: node.start, end: node.end, mutator: 'statement', change });
  }
  const body = valueBody(node);
  if (body !== undefined) {
    const change = { kind: 'expression', text: 'undefined' } as const;
    found.push({ start: body.start, end: body.end, mutator: 'result', change });
  }
  for (const child of childrenOf(node)) {
    if (isOnlyConsequent(node, child)) {
      for (const inner of childrenOf(onlyStatement(child) ?? child)) {
        seek({ node: inner, place: 'value', inEquality: false }, search);
      }
    } else {
      seek({ node: child, place: placeOf(sight, child), inEquality: comparesTexts(node) }, search);
    }
  }
}

function expressionChanges(sight: Sight, text: string): (readonly [string, string])[] {
  const changes = [...truthChanges(sight)];
  const { node } = sight;
  const isText = node.type === 'Literal' && typeof node['value'] === 'string';
  if (isText && sight.inEquality) return changes;
  changes.push(...(SEEKERS[node.type]?.(node, text) ?? []));
  return changes;
}

/** `true` and `false` for what is one of the two, less what another mutant does already. */
function* truthChanges({ node, place }: Sight): Generator<readonly [string, string]> {
  if (node.type === 'Literal' && typeof node['value'] === 'boolean') {
    yield ['boolean', node['value'] ? 'false' : 'true'];
    return;
  }
  if (place === 'told' || !isTruth(node, place)) return;
  // Dropping a clause of the node does what making the whole true (or false) would do.
  const isLogical = node.type === 'LogicalExpression';
  if (place !== 'or' && !(isLogical && node['operator'] === '&&')) yield ['condition', 'true'];
  if (place !== 'and' && !(isLogical && node['operator'] === '||')) yield ['condition', 'false'];
}

const COMPARISONS: ReadonlySet<unknown> = new Set([
  '===',
  '!==',
  '<',
  '<=',
  '>',
  '>=',
  'in',
  'instanceof',
]);

function isTruth(node: SyntaxNode, place: Place): boolean {
  if (node.type === 'LogicalExpression' && node['operator'] === '??') return place !== 'value';
  if (node.type === 'BinaryExpression') return COMPARISONS.has(node['operator']);
  if (node.type === 'UnaryExpression') return node['operator'] === '!';
  return place !== 'value' && node.type !== 'Literal';
}

/**
 * What leaves the last case before the unreachable end of a switch, and gives nothing: without it the
 * end, which does nothing, would be reached.
 */
function lastExit(node: SyntaxNode): SyntaxNode | undefined {
  if (node.type !== 'SwitchStatement' || !nodesAt(node, 'cases').some(isUnreachable)) {
    return undefined;
  }
  const last = nodesAt(node, 'cases').at(-2);
  const exit = last === undefined ? undefined : nodesAt(last, 'consequent').at(-1);
  return exit?.type === 'ReturnStatement' && nodeAt(exit, 'argument') === undefined
    ? exit
    : undefined;
}

function placeOf({ node, place }: Sight, child: SyntaxNode): Place {
  const inCondition = place !== 'value';
  switch (node.type) {
    case 'IfStatement':
    case 'ConditionalExpression':
      if (child === node['test']) return 'condition';
      return node.type === 'ConditionalExpression' ? place : 'value';
    case 'WhileStatement':
    case 'DoWhileStatement':
    case 'ForStatement':
      // A loop that never ends is found by its not ending; it says little about a test.
      return child === node['test'] ? 'or' : 'value';
    case 'LogicalExpression':
      if (node['operator'] === '??') return 'value';
      // The last operand of a value may be more than true or false.
      if (child === node['right'] && !inCondition && !isTruth(child, 'value')) return 'value';
      return node['operator'] === '&&' ? 'and' : 'or';
    case 'UnaryExpression':
      return node['operator'] === '!' ? 'told' : 'value';
    default:
      return 'value';
  }
}

function comparesTexts(node: SyntaxNode): boolean {
  return (
    node.type === 'BinaryExpression' && (node['operator'] === '===' || node['operator'] === '!==')
  );
}

/** Statements whose absence a test should see. */
function isRemovable(node: SyntaxNode): boolean {
  if (node.type === 'ExpressionStatement') return node['directive'] === undefined;
  return ['ReturnStatement', 'ThrowStatement', 'BreakStatement', 'ContinueStatement'].includes(
    node.type,
  );
}

/** The body of `() => value`, unless it has mutants that say as much. */
function valueBody(node: SyntaxNode): SyntaxNode | undefined {
  if (node.type !== 'ArrowFunctionExpression' || node['expression'] !== true) return undefined;
  const body = nodeAt(node, 'body');
  if (body === undefined || body.type === 'Literal' || isTruth(body, 'value')) return undefined;
  return body;
}

/** `if (condition) statement`: without the statement it is the condition that is false. */
function isOnlyConsequent(node: SyntaxNode, child: SyntaxNode): boolean {
  if (node.type !== 'IfStatement' || child !== node['consequent']) return false;
  return nodeAt(node, 'alternate') === undefined && onlyStatement(child) !== undefined;
}

function onlyStatement(node: SyntaxNode): SyntaxNode | undefined {
  if (isRemovable(node)) return node;
  const statements = nodesAt(node, 'body');
  const first = statements[0];
  if (node.type !== 'BlockStatement' || statements.length !== 1 || first === undefined) {
    return undefined;
  }
  return isRemovable(first) ? first : undefined;
}

/** What the types say cannot be reached: the end of an exhaustive switch. */
function isUnreachable(node: SyntaxNode): boolean {
  if (node.type !== 'SwitchCase' || nodeAt(node, 'test') !== undefined) return false;
  return nodesAt(node, 'consequent').some((statement) => {
    const value = nodeAt(statement, 'argument') ?? nodeAt(statement, 'expression');
    return (
      value?.type === 'TSSatisfiesExpression' &&
      nodeAt(value, 'typeAnnotation')?.type === 'TSNeverKeyword'
    );
  });
}

const BOUNDARIES: ReadonlyMap<unknown, string> = new Map(
  Object.entries({ '<': '<=', '<=': '<', '>': '>=', '>=': '>' }),
);
const ARITHMETIC: ReadonlyMap<unknown, string> = new Map(
  Object.entries({
    '+': '-',
    '-': '+',
    '*': '/',
    '/': '*',
    '%': '*',
    '**': '*',
    '&': '|',
    '|': '&',
    '^': '|',
    '<<': '>>',
    '>>': '<<',
    '>>>': '<<',
  }),
);
const ASSIGNMENTS: ReadonlyMap<unknown, string> = new Map(
  Object.entries({
    '+=': '-=',
    '-=': '+=',
    '*=': '/=',
    '/=': '*=',
    '%=': '*=',
    '&=': '|=',
    '|=': '&=',
    '^=': '|=',
    '<<=': '>>=',
    '>>=': '<<=',
    '>>>=': '<<=',
    '??=': '=',
  }),
);
/** Methods that give what they are called on, more or less. */
const DROPPED_METHODS: ReadonlySet<string> = new Set([
  'filter',
  'slice',
  'sort',
  'toSorted',
  'reverse',
  'toReversed',
  'trim',
  'toLowerCase',
  'toUpperCase',
  'subarray',
  'flat',
  'normalize',
]);
const SWAPPED_METHODS: ReadonlyMap<unknown, string> = new Map(
  Object.entries({
    some: 'every',
    every: 'some',
    startsWith: 'endsWith',
    endsWith: 'startsWith',
    min: 'max',
    max: 'min',
    indexOf: 'lastIndexOf',
    lastIndexOf: 'indexOf',
  }),
);

const SEEKERS: Readonly<Record<string, Seeker>> = {
  BinaryExpression: (node, text) => {
    const boundary = BOUNDARIES.get(node['operator']);
    if (boundary !== undefined) return [['boundary', withOperator(node, text, boundary)]];
    const other = ARITHMETIC.get(node['operator']);
    if (other === undefined || joinsText(node)) return [];
    return [['arithmetic', withOperator(node, text, other)]];
  },
  LogicalExpression: (node, text) => {
    const [left, right] = [nodeAt(node, 'left'), nodeAt(node, 'right')];
    if (node['operator'] !== '??' || left === undefined || right === undefined) return [];
    return [
      ['default', `(${sourceOf(left, text)})`],
      ['default', `(${sourceOf(right, text)})`],
    ];
  },
  UnaryExpression: (node, text) => {
    const argument = nodeAt(node, 'argument');
    if (node['operator'] !== '-' || argument === undefined) return [];
    return [['sign', `(${sourceOf(argument, text)})`]];
  },
  UpdateExpression: (node, text) => {
    const [from, to] = node['operator'] === '++' ? ['++', '--'] : ['--', '++'];
    return [['arithmetic', sourceOf(node, text).replace(from, to)]];
  },
  AssignmentExpression: (node, text) => {
    const other = ASSIGNMENTS.get(node['operator']);
    if (other === undefined || joinsText(node)) return [];
    return [['arithmetic', withOperator(node, text, other)]];
  },
  ArrayExpression: (node) => (nodesAt(node, 'elements').length > 0 ? [['empty', '[]']] : []),
  ChainExpression: (node, text) => optionalLinks(node, text),
  CallExpression: (node, text) => calls(node, text),
  Literal: (node, text) => literals(node, text),
};

/** The node with another operator: brackets and comments around its operands stay. */
function withOperator(node: SyntaxNode, text: string, operator: string): string {
  const [left, right] = [nodeAt(node, 'left'), nodeAt(node, 'right')];
  if (left === undefined || right === undefined) throw new Error('an operator without operands');
  const between = text.slice(left.end, right.start);
  const at = left.end + between.indexOf(String(node['operator']));
  const after = at + String(node['operator']).length;
  return text.slice(node.start, at) + operator + text.slice(after, node.end);
}

function joinsText(node: SyntaxNode): boolean {
  return [nodeAt(node, 'left'), nodeAt(node, 'right')].some(
    (side) =>
      side?.type === 'TemplateLiteral' ||
      (side?.type === 'Literal' && typeof side['value'] === 'string') ||
      (side?.type === 'BinaryExpression' && joinsText(side)),
  );
}

function sourceOf(node: SyntaxNode, text: string): string {
  return text.slice(node.start, node.end);
}

/** Each `?.` of the chain as an access that does not ask first. */
function optionalLinks(chain: SyntaxNode, text: string): (readonly [string, string])[] {
  const changes: (readonly [string, string])[] = [];
  for (let link = nodeAt(chain, 'expression'); link !== undefined;) {
    const before = nodeAt(link, 'object') ?? nodeAt(link, 'callee');
    if (before === undefined) break;
    if (link['optional'] === true) {
      const at = text.indexOf('?.', before.end);
      const isMember = link.type === 'MemberExpression' && link['computed'] !== true;
      const plain =
        text.slice(chain.start, at) + (isMember ? '.' : '') + text.slice(at + 2, chain.end);
      changes.push(['optional', `(${plain})`]);
    }
    link = before;
  }
  return changes;
}

function calls(node: SyntaxNode, text: string): (readonly [string, string])[] {
  const callee = nodeAt(node, 'callee');
  if (callee?.type !== 'MemberExpression' || callee['computed'] === true) return [];
  const [object, property] = [nodeAt(callee, 'object'), nodeAt(callee, 'property')];
  if (object === undefined || property === undefined) return [];
  const name = String(property['name']);
  const first = nodesAt(node, 'arguments')[0];
  if (name === 'freeze' && first !== undefined) return [['freeze', `(${sourceOf(first, text)})`]];
  if (DROPPED_METHODS.has(name)) return [['method', `(${sourceOf(object, text)})`]];
  const other = SWAPPED_METHODS.get(name);
  if (other === undefined) return [];
  return [
    ['method', text.slice(node.start, property.start) + other + text.slice(property.end, node.end)],
  ];
}

function literals(node: SyntaxNode, text: string): (readonly [string, string])[] {
  const source = sourceOf(node, text);
  if (node['regex'] !== undefined && node['regex'] !== null) return patterns(source);
  const value = node['value'];
  if (typeof value === 'bigint') return [['constant', `(${source} + 1n)`]];
  if (typeof value === 'number') return [['constant', `(${source} + 1)`]];
  if (typeof value !== 'string' || value.includes(' ')) return [];
  return [['text', value === '' ? "'mutant'" : "''"]];
}

/** A regular expression without one of its anchors, or with a bound that is one off. */
function patterns(source: string): (readonly [string, string])[] {
  const end = source.lastIndexOf('/');
  const changes: (readonly [string, string])[] = [];
  if (source.startsWith('/^')) changes.push(['pattern', `/(?:)${source.slice(2)}`]);
  if (source[end - 1] === '$' && source[end - 2] !== '\\') {
    changes.push(['pattern', source.slice(0, end - 1) + source.slice(end)]);
  }
  for (const bound of source.matchAll(/\{(\d+)(,?)(\d*)\}/gu)) {
    const [whole, least = '', comma = '', most = ''] = bound;
    const number = most === '' ? Number(least) + 1 : Number(most) + 1;
    const other = most === '' ? `{${String(number)}${comma}}` : `{${least},${String(number)}}`;
    const at = bound.index;
    changes.push(['pattern', source.slice(0, at) + other + source.slice(at + whole.length)]);
  }
  return changes;
}
