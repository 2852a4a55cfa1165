/** Valid documents of this repository, to be changed: examples, pages of the documentation, test vectors. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../architecture/source.ts';

/** The text of a file of the repository. */
export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The texts of a folder's files with this ending. */
export function textsIn(folder: string, ending: string): readonly string[] {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((name) => textOf(join(folder, name)));
}

const PAGES = ['README.md', ...['inventory', 'policy', 'configuration', 'first-hour'].map(page)];

function page(name: string): string {
  return `docs/${name}.md`;
}

const BLOCKS = PAGES.flatMap((path) =>
  [...textOf(path).matchAll(/^```yaml\n([\s\S]*?)^```/gmu)].map((match) => match[1] ?? ''),
);

/** Inventories. */
export const INVENTORIES: readonly string[] = [
  textOf('examples/shop/inventory.yaml'),
  textOf('examples/demo/inventory.yaml'),
  ...BLOCKS.filter((text) => /^targets:/mu.test(text)),
];

/** Policies, all of them about other inventories. */
export const POLICIES: readonly string[] = [
  textOf('examples/shop/policy.yaml'),
  textOf('examples/demo/policy.yaml'),
  ...BLOCKS.filter((text) => /^rules:/mu.test(text)),
];

/** Cases of policies. */
export const CASES: readonly string[] = [
  textOf('examples/shop/policy.test.yaml'),
  ...BLOCKS.filter((text) => /^cases:/mu.test(text)),
];

/** Configurations. */
export const CONFIGURATIONS: readonly string[] = [
  textOf('examples/demo/exequatur.yaml'),
  ...BLOCKS.filter((text) => !/^(?:targets|rules|cases):/mu.test(text)),
];

/** Every word of some texts, as a dictionary. */
export function wordsOf(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.flatMap((text) => text.match(/[$/]?[A-Za-z][\w./:-]*/gu) ?? []))];
}
