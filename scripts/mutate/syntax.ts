/** Reads TypeScript into a syntax tree, and walks it where values are computed: types have no mutants. */
import { readFileSync } from 'node:fs';

import { parseSync } from 'oxc-parser';

/** One node of the tree (ESTree with TypeScript): its place as indices of UTF-16 units. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** A comment's text without its marks, and its place. */
export interface Comment {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** A file, read. */
export interface Syntax {
  readonly path: string;
  readonly text: string;
  readonly program: SyntaxNode;
  readonly comments: readonly Comment[];
  /** What it imports when it runs; imports of types alone are none. */
  readonly imports: readonly string[];
}

/** The syntax of one file; throws where it does not parse. */
export function readSyntax(path: string): Syntax {
  const text = readFileSync(path, 'utf8');
  const parsed = parseSync(path, text, { sourceType: 'module', preserveParens: false });
  const fault = parsed.errors[0];
  if (fault !== undefined) throw new Error(`\`${path}\` does not parse: ${fault.message}`);
  const program: unknown = parsed.program;
  if (!isNode(program)) throw new Error(`\`${path}\` has no program`);
  const { staticImports, staticExports } = parsed.module;
  const imports = [
    ...staticImports
      .filter(({ entries }) => entries.length === 0 || entries.some(({ isType }) => !isType))
      .map(({ moduleRequest }) => moduleRequest.value),
    ...staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ isType, moduleRequest }) =>
        isType || moduleRequest === null ? [] : [moduleRequest.value],
      ),
    ),
  ];
  return { path, text, program, comments: parsed.comments, imports };
}

/** Whether something found in a tree is a node of it. */
export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

/** The node under `key`, if there is one. */
export function nodeAt(node: SyntaxNode, key: string): SyntaxNode | undefined {
  const child = node[key];
  return isNode(child) ? child : undefined;
}

/** The nodes of the list under `key`. */
export function nodesAt(node: SyntaxNode, key: string): readonly SyntaxNode[] {
  const children = node[key];
  return Array.isArray(children) ? children.filter(isNode) : [];
}

/** TypeScript nodes that hold an expression; all others are types, which are gone at run time. */
const TYPED_EXPRESSIONS: ReadonlySet<string> = new Set([
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
]);

/** The node's children that compute something: no types, no names of members, no module names. */
export function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  if (node.type.startsWith('TS') && !TYPED_EXPRESSIONS.has(node.type)) return [];
  if (node.type === 'ImportDeclaration' || node.type === 'ExportAllDeclaration') return [];
  const children: SyntaxNode[] = [];
  for (const [key, value] of Object.entries(node)) {
    if (isName(node, key)) continue;
    if (isNode(value)) children.push(value);
    else if (Array.isArray(value)) children.push(...value.filter(isNode));
  }
  return children
    .filter(({ type }) => !type.startsWith('TS') || TYPED_EXPRESSIONS.has(type))
    .sort((left, right) => left.start - right.start);
}

/** `{ name: value }`, `object.name`, `export … from 'name'`: names are no values. */
function isName(node: SyntaxNode, key: string): boolean {
  if (node.type === 'ExportNamedDeclaration') return key === 'source' || key === 'specifiers';
  if (node['computed'] === true) return false;
  return node.type === 'MemberExpression' ? key === 'property' : key === 'key';
}
