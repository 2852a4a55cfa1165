/** The variables that an operation gives to its program: the one place of a program for a secret. */
import type { DocumentNode } from '../../kernel/document.ts';
import type { ProcessTarget, Template } from '../../kernel/inventory.ts';
import { INVENTORY_LIMITS } from './limits.ts';
import { refuse } from './reading.ts';
import { readTemplates, type TemplateReading } from './template.ts';

/** The form of a variable's name. */
export const VARIABLE: RegExp = /^[A-Za-z_][A-Za-z0-9_]*$/u;

/** What the loader of programs, and shells, take their code from. */
const CODE =
  /^(?:PATH|IFS|ENV|BASH_ENV|SHELLOPTS|PS4|NODE_OPTIONS|PERL5OPT|RUBYOPT|(?:LD|DYLD)_.*)$/u;

/** Names with templates; what the layer or the target sets itself is refused. */
export function readVariables(
  reading: TemplateReading,
  node: DocumentNode | undefined,
  target: ProcessTarget,
): Readonly<Record<string, Template>> | undefined {
  if (node === undefined) return undefined;
  const templates = readTemplates(reading, node, { what: 'env', max: INVENTORY_LIMITS.fieldsMax });
  const taken = new Set([
    'EXEQUATUR_EXECUTION_ID',
    ...target.environmentNames,
    ...Object.keys(target.environmentValues),
    ...(target.credentialVariable === undefined ? [] : [target.credentialVariable]),
  ]);
  for (const { key, keyPosition } of node.kind === 'mapping' ? node.entries : []) {
    const note = (message: string, hint?: string): undefined =>
      refuse(reading, { code: 'bad_variable', position: keyPosition, message, hint });
    if (!VARIABLE.test(key)) note(`\`${key}\` is not the name of a variable`);
    else if (taken.has(key)) note(`the layer or the target sets \`${key}\` already`);
    else if (CODE.test(key)) {
      note(
        `\`${key}\` decides which code runs, and no action may`,
        'give it a fixed value with `set:` under `process:`',
      );
    }
  }
  return templates;
}
