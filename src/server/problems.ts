/** Problems of documents as the protocol tells them, with paths as short as they are clear. */
import { relative, sep } from 'node:path';
import type { Problem } from '../kernel/document.ts';
import type { DocumentProblem } from '../protocol/errors.ts';

/** The problem with its file as seen from `directory`. */
export function documentProblem(problem: Problem, directory: string): DocumentProblem {
  const { code, severity, message, position, hint } = problem;
  return {
    code,
    severity,
    message,
    file: nearPath(position.file, directory),
    line: position.line,
    column: position.column,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** The path as seen from `directory`, where that does not lead out of it. */
export function nearPath(path: string, directory: string): string {
  const near = relative(directory, path);
  return near === '' || near.startsWith(`..${sep}..`) ? path : near;
}

/** Whether anything stands in the way. */
export function hasErrors(problems: readonly Pick<Problem, 'severity'>[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}
