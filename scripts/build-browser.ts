/**
 * Puts what browsers load into `dist/browser`: the verifier with everything that it imports, and SHA-256 by
 * a library where Node's own stands. What else imports from Node, or from another package, fails the build.
 */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const ENTRY = 'ledger/verify.js';
const SWAPPED = 'kernel/sha256.js';
const SWAPPED_FOR = 'kernel/sha256-browser.js';
const PACKAGES: ReadonlySet<string> = new Set(['@noble/hashes/sha2.js']);
const IMPORT =
  /(?:^|\s)(?:import|export)\b[^'";]*?\bfrom\s*'([^']+)'|(?:^|\s)import\s*\(?\s*'([^']+)'/gu;

/** Copies from `out` into `out/browser`; answers the files, by their paths below it. */
export function buildBrowser(out: string): readonly string[] {
  const files = new Set([ENTRY]);
  for (const file of files) {
    const source = join(out, file === SWAPPED ? SWAPPED_FOR : file);
    for (const [, from, loaded] of readFileSync(source, 'utf8').matchAll(IMPORT)) {
      const specifier = from ?? loaded ?? '';
      if (specifier.startsWith('.')) files.add(relative(out, join(out, dirname(file), specifier)));
      else if (!PACKAGES.has(specifier)) throw new Error(`${file} imports ${specifier}`);
    }
    const target = join(out, 'browser', file);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(source, target);
  }
  return [...files];
}
