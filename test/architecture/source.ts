/** Reads the source tree for the tests that hold its structure. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

/** One TypeScript file: its path from the root with forward slashes, its text and what it imports. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"]([^'"]+)['"]/gu;
const DYNAMIC_IMPORT = /\bimport\(\s*['"]([^'"]+)['"]/gu;

/** Every `.ts` and `.tsx` file below `folder`, tests left out unless asked for. */
export function sourceFiles(folder: string, options?: { readonly tests: boolean }): SourceFile[] {
  const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.tsx?$/u.test(entry.name))
    .filter((entry) => options?.tests === true || !entry.name.includes('.test.'))
    .map((entry) => readSource(join(entry.parentPath, entry.name)));
}

/** What a text imports, statically and dynamically. */
export function importsOf(text: string): string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//gu, '').replaceAll(/(?:^|\s)\/\/.*$/gmu, '');
  return [...code.matchAll(IMPORT), ...code.matchAll(DYNAMIC_IMPORT)].flatMap((match) =>
    match[1] === undefined ? [] : [match[1]],
  );
}

/** An import as a path from the root, or as it stands where it names a package. */
export function resolveImport(file: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier;
}

function readSource(absolute: string): SourceFile {
  const text = readFileSync(absolute, 'utf8');
  return {
    path: relative(ROOT, absolute).split(sep).join('/'),
    text,
    imports: importsOf(text),
  };
}
