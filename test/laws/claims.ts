/**
 * What is claimed, and what tests say: the ids of SECURITY.md, the stable error codes of the source, and
 * every word of a test that could name one. All is read from the texts themselves, so that a new claim or
 * code is under the gate as soon as it is written.
 */
import { join } from 'node:path';

import {
  isNode,
  nodeAt,
  nodesAt,
  readSyntax,
  type SyntaxNode,
} from '../../scripts/mutate/syntax.ts';

/** The ids of laws and gaps, in their order: the first cell of a table's row, the first word of an item. */
export function claimsOf(markdown: string): readonly string[] {
  const ids = markdown.matchAll(/^(?:\| |- )`((?:law \d+)|(?:gap [a-z]+(?:-[a-z]+)*))`/gmu);
  return [...ids].flatMap(([, id]) => id ?? []);
}

/** The ids that a text cites. */
export function citedIn(text: string): readonly string[] {
  const laws = [...text.matchAll(/\blaws? (\d+(?:(?:, | and )\d+)*)/gu)].flatMap(
    ([, numbers = '']) => [...numbers.matchAll(/\d+/gu)].map(([number]) => `law ${number}`),
  );
  const gaps = [...text.matchAll(/\bgap ([a-z]+(?:-[a-z]+)*):/gu)].map(
    ([, name = '']) => `gap ${name}`,
  );
  return [...laws, ...gaps];
}

/** What of `claims` is not cited. */
export function uncited(claims: readonly string[], cited: ReadonlySet<string>): readonly string[] {
  return claims.filter((claim) => !cited.has(claim));
}

/**
 * The codes that a file can give. A code is an element of a list named `…_CODES` or `…_REFUSALS`, a key of
 * a table named `…_ERRORS`, or a text given as, or allowed as, a member named `code`.
 */
export function codesOf(root: string, path: string): ReadonlySet<string> {
  const codes = new Set<string>();
  walk(readSyntax(join(root, path)).program, (node) => {
    for (const code of codesAt(node)) codes.add(code);
  });
  return codes;
}

function codesAt(node: SyntaxNode): readonly string[] {
  if (node.type === 'VariableDeclarator') {
    const name = String(nodeAt(node, 'id')?.['name']);
    const value = untyped(nodeAt(node, 'init'));
    if (/_(?:CODES|REFUSALS)$/u.test(name)) return textsOf(value);
    return name.endsWith('_ERRORS') ? keysOf(value) : [];
  }
  if (node.type === 'Property' && nameOf(node) === 'code') return textsOf(nodeAt(node, 'value'));
  if (node.type === 'TSPropertySignature' && nameOf(node) === 'code') return textsInside(node);
  return [];
}

/**
 * The words by which a test cites: every text, member name and pattern of it, but no comment. A word in a
 * text of several words counts only if it could be nothing but a code.
 */
export function wordsOf(root: string, path: string): ReadonlySet<string> {
  const words = new Set<string>();
  walk(readSyntax(join(root, path)).program, (node) => {
    if (node.type.startsWith('Import')) return;
    for (const text of saidBy(node)) {
      words.add(text);
      for (const [word] of text.matchAll(/[a-z0-9]+(?:_[a-z0-9]+)+/gu)) words.add(word);
    }
  });
  return words;
}

function saidBy(node: SyntaxNode): readonly string[] {
  if (node.type === 'Literal') {
    if (typeof node['value'] === 'string') return [node['value']];
    return isNode(node['regex']) || node['regex'] ? [String(node['raw'])] : [];
  }
  if (node.type === 'TemplateElement') return [String(Object(node['value']).raw)];
  const name = node.type === 'Property' ? nameOf(node) : undefined;
  return name === undefined ? [] : [name];
}

function walk(node: SyntaxNode, visit: (node: SyntaxNode) => void): void {
  visit(node);
  for (const child of Object.values(node)) {
    for (const inner of Array.isArray(child) ? child : [child])
      if (isNode(inner)) walk(inner, visit);
  }
}

function untyped(node: SyntaxNode | undefined): SyntaxNode | undefined {
  return node?.type.startsWith('TS') === true ? untyped(nodeAt(node, 'expression')) : node;
}

/** The texts that an expression can be: itself, the branches of a condition, the elements of a list. */
function textsOf(node: SyntaxNode | undefined): readonly string[] {
  const plain = untyped(node);
  if (plain?.type === 'Literal' && typeof plain['value'] === 'string') return [plain['value']];
  if (plain?.type === 'ArrayExpression') return nodesAt(plain, 'elements').flatMap(textsOf);
  if (plain?.type !== 'ConditionalExpression') return [];
  return [...textsOf(nodeAt(plain, 'consequent')), ...textsOf(nodeAt(plain, 'alternate'))];
}

function textsInside(node: SyntaxNode): string[] {
  const texts: string[] = [];
  walk(node, (inner) => {
    if (inner.type === 'Literal' && typeof inner['value'] === 'string') texts.push(inner['value']);
  });
  return texts;
}

function keysOf(node: SyntaxNode | undefined): string[] {
  return node === undefined ? [] : nodesAt(node, 'properties').flatMap((key) => nameOf(key) ?? []);
}

function nameOf(node: SyntaxNode): string | undefined {
  const key = nodeAt(node, 'key');
  if (node['computed'] === true || key === undefined) return undefined;
  return String(key['name'] ?? key['value']);
}
