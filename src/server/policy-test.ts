/** `policy test`: decides the cases of files by the policy on disk, without a daemon, a store or a target. */
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { CaseTold, PolicyTested, PolicyTestOptions } from '../cli/server-door.ts';
import { readCases } from '../facts/cases/read-cases.ts';
import { runCase, type CaseResult } from '../facts/cases/run-case.ts';
import type { Problem } from '../kernel/document.ts';
import type { Rule } from '../kernel/policy.ts';
import type { CompiledPolicy } from '../kernel/policy/compiled.ts';
import { documentProblem, hasErrors, nearPath } from './problems.ts';
import { readConfiguration } from './configuration.ts';
import { loadEpoch, type EpochFiles } from './loading.ts';
import { readSource } from './source-file.ts';

/** Runs every case of the files, or of all `*.test.yaml` beside the policies where none are named. */
export async function policyTest(options: PolicyTestOptions): Promise<PolicyTested> {
  const { directory } = options;
  const { files, problems } = await filesOf(options);
  const { epoch, problems: found } =
    files === undefined ? { epoch: undefined, problems: [] } : await loadEpoch(files);
  const named = options.files.map((file) => resolve(directory, file));
  const caseFiles = named.length > 0 ? named : casesBeside(files?.policies ?? []);
  const collected: Problem[] = [...problems, ...found];
  if (epoch === undefined) return tested({ files: caseFiles, problems: collected, directory });
  const results: CaseResult[] = [];
  for (const file of caseFiles) {
    const source = await readSource(file);
    collected.push(...source.problems);
    if (source.document === undefined) continue;
    const read = readCases(source.document, epoch.policy);
    collected.push(...read.problems);
    results.push(...read.cases.map((each) => runCase(epoch.policy, each)));
  }
  // Half of the cases would look like a test that passed.
  if (hasErrors(collected)) return tested({ files: caseFiles, problems: collected, directory });
  const chosen = results.filter((result) => result.case.name.includes(options.name ?? ''));
  return {
    ...tested({ files: caseFiles, problems: collected, directory }),
    cases: chosen.map((result) => toldOf(result, directory)),
    rules: coverageOf(epoch.policy, chosen, directory),
  };
}

async function filesOf(
  options: PolicyTestOptions,
): Promise<{ readonly files: EpochFiles | undefined; readonly problems: readonly Problem[] }> {
  const { directory } = options;
  const inventory =
    options.inventory === undefined ? undefined : resolve(directory, options.inventory);
  const policies = options.policies.map((file) => resolve(directory, file));
  if (inventory !== undefined && policies.length > 0) {
    return { files: { inventory, policies }, problems: [] };
  }
  const { configuration, problems } = await readConfiguration(resolve(directory, options.config));
  if (configuration === undefined) return { files: undefined, problems };
  return {
    files: {
      inventory: inventory ?? configuration.inventory,
      policies: policies.length > 0 ? policies : configuration.policies,
    },
    problems,
  };
}

function casesBeside(policies: readonly string[]): readonly string[] {
  const directories = new Set(policies.map((file) => dirname(file)));
  return [...directories].flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => /\.test\.ya?ml$/u.test(name))
      .toSorted()
      .map((name) => join(directory, name)),
  );
}

function tested(parts: {
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
  readonly directory: string;
}): PolicyTested {
  const { files, problems, directory } = parts;
  return {
    files: files.map((file) => nearPath(file, directory)),
    problems: problems.map((problem) => documentProblem(problem, directory)),
    cases: [],
    rules: [],
  };
}

function toldOf({ case: of, decision, ok, matched }: CaseResult, directory: string): CaseTold {
  const { name, position, expected } = of;
  return {
    name,
    file: nearPath(position.file, directory),
    line: position.line,
    ok,
    expected: {
      verdict: expected.verdict,
      ...(expected.findings === undefined ? {} : { findings: expected.findings }),
    },
    got: {
      verdict: decision.verdict,
      findings: decision.findings.map(({ code, rule, message }) => ({
        code,
        message,
        ...(rule === undefined ? {} : { rule: rule.id }),
      })),
    },
    matched,
    shadow: decision.shadow,
  };
}

function coverageOf(
  policy: CompiledPolicy,
  results: readonly CaseResult[],
  directory: string,
): PolicyTested['rules'] {
  return policy.rules.map(({ id, effect, shadow, position }: Rule) => ({
    id,
    effect,
    shadow,
    file: nearPath(position.file, directory),
    line: position.line,
    cases: results.flatMap((result) => (result.matched.includes(id) ? result.case.name : [])),
  }));
}
