/** Everything people write as YAML: policy, inventory, its lock, cases of a policy, configuration. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkCalendar, createCalendars } from '../../../src/facts/calendar/calendars.ts';
import { readCases } from '../../../src/facts/cases/read-cases.ts';
import { CASE_CODES } from '../../../src/facts/cases/read-circumstances.ts';
import { runCase } from '../../../src/facts/cases/run-case.ts';
import { readYaml, YAML_CODES } from '../../../src/facts/document/yaml.ts';
import { compileInventory } from '../../../src/facts/inventory/compile.ts';
import { INVENTORY_CODES } from '../../../src/facts/inventory/limits.ts';
import { DOCUMENT_CODES } from '../../../src/kernel/document-reader.ts';
import type { DocumentNode, Problem } from '../../../src/kernel/document.ts';
import { instantOf } from '../../../src/kernel/instant.ts';
import type { Inventory } from '../../../src/kernel/inventory.ts';
import { compilePolicy } from '../../../src/kernel/policy/compile.ts';
import type { CompiledPolicy } from '../../../src/kernel/policy/compiled.ts';
import { REACH_CODES } from '../../../src/kernel/policy/reach.ts';
import { POLICY_CODES } from '../../../src/kernel/policy/reading.ts';
import { readConfiguration } from '../../../src/server/configuration.ts';
import { CASES, CONFIGURATIONS, INVENTORIES, POLICIES, textOf, wordsOf } from '../corpus.ts';
import { onMutants, type Corpus } from '../mutate.ts';
import { refusedWith, type Subject, type Taken } from '../subject.ts';
import { EXPRESSION_CODES } from './expressions.ts';

const BASE = '/srv/exequatur';
const NOW = instantOf(Date.UTC(2026, 10, 24, 22, 30));
/** Of calendars, which are checked when an epoch is loaded. */
const CALENDAR_CODES = [
  'unknown_zone',
  'calendar_never_open',
  'too_many_patterns',
  'bad_recurrence',
];
const ANY_DOCUMENT = [...YAML_CODES, ...DOCUMENT_CODES];

function corpusOf(documents: readonly string[]): Corpus {
  return { documents, words: wordsOf(documents) };
}

/** Reads a document as people write it; `take` is given what the reader made of it. */
function onDocuments(
  documents: readonly string[],
  take: (document: DocumentNode, problems: readonly Problem[]) => Taken,
): Subject['open'] {
  return () =>
    Promise.resolve(
      onMutants(corpusOf(documents), (input) => {
        const text = input.toString('utf8');
        const { document, problems } = readYaml(text, 'document.yaml');
        checkPositions(problems, text);
        return document === undefined ? refusedWith(problems) : take(document, problems);
      }),
    );
}

/** Every problem stands somewhere in the document. */
function checkPositions(problems: readonly Problem[], text: string): void {
  const lines = text.split(/\r\n|\r|\n/u).length + 1;
  for (const { code, position } of problems) {
    if (position.line < 1 || position.line > lines || position.column < 1) {
      throw new Error(`\`${code}\` stands at ${String(position.line)}:${String(position.column)}`);
    }
  }
}

function taken(problems: readonly Problem[]): Taken {
  const errors = problems.filter(({ severity }) => severity === 'error');
  refusedWith(problems);
  return errors.length === 0 ? 'accepted' : refusedWith(errors);
}

/** Inventories. */
export const INVENTORY: Subject = {
  name: 'inventory',
  codes: new Set([...ANY_DOCUMENT, ...INVENTORY_CODES, ...EXPRESSION_CODES]),
  open: onDocuments(INVENTORIES, (document, read) => {
    const { inventory, problems } = compileInventory({ document, baseDirectory: BASE });
    const result = taken([...read, ...problems]);
    if ((inventory !== undefined) !== (result === 'accepted')) throw new Error('half an inventory');
    return result;
  }),
};

const LOCKED = INVENTORIES[0] ?? '';
const LOCKS = [
  `version: 1
targets:
  shop-payments:
    identity: acct_1N
    environment: staging
  shop-web:
    identity: site-1
    files:
      /opt/deploy/run: ${'a'.repeat(64)}
`,
  'version: 1\ntargets: {}\n',
];

/** Lock files, beside an inventory that stays as it is. */
export const LOCK: Subject = {
  name: 'lock',
  codes: new Set([...ANY_DOCUMENT, ...INVENTORY_CODES]),
  open: () => {
    const inventory = readYaml(LOCKED, 'inventory.yaml').document;
    if (inventory === undefined) throw new Error('the example is an inventory');
    return onDocuments(LOCKS, (lock, read) => {
      const { problems } = compileInventory({ document: inventory, lock, baseDirectory: BASE });
      return taken([...read, ...problems]);
    })();
  },
};

/** Policies about the inventory of the shop, with their calendars and one evaluation of each. */
export const POLICY: Subject = {
  name: 'policy',
  codes: new Set([
    ...ANY_DOCUMENT,
    ...POLICY_CODES,
    ...REACH_CODES,
    ...EXPRESSION_CODES,
    ...CALENDAR_CODES,
  ]),
  open: () => {
    const inventory = shopInventory();
    return onDocuments([...POLICIES, CALENDARS], (document, read) => {
      const { policy, problems } = compilePolicy({ documents: [document], inventory });
      const specs = [...(policy?.calendars.values() ?? [])];
      const found = specs.flatMap(checkCalendar);
      const calendars = createCalendars();
      if (found.length === 0) for (const spec of specs) calendars.at(spec, NOW);
      return taken([...read, ...problems, ...found]);
    })();
  },
};

const CALENDARS = `version: 1
calendars:
  weekly: { zone: Europe/Berlin, open: [{ weekly: 'Mon,Wed-Fri 22:00-02:00' }], closed: [{ from: 2026-12-20T00:00, until: 2027-01-04T00:00 }] }
  rule: { zone: America/New_York, open: [{ rrule: 'FREQ=MONTHLY;BYDAY=2TU;BYHOUR=22;COUNT=20', start: 2026-01-01T22:00, duration: 4h }] }
rules:
  - { id: a, match: { kind: data.write }, require: [{ window: weekly }, { window: rule }] }
  - { id: b, match: {}, allow: true }
`;

/** Cases of the shop's policy; accepted ones are decided. */
export const CASE: Subject = {
  name: 'cases',
  codes: new Set([...ANY_DOCUMENT, ...CASE_CODES]),
  open: () => {
    const policy = shopPolicy();
    return onDocuments(CASES, (document, read) => {
      const { cases, problems } = readCases(document, policy);
      for (const each of cases) runCase(policy, each);
      return taken([...read, ...problems]);
    })();
  },
};

/** Configurations, read from a file as they are at a start. */
export const CONFIGURATION: Subject = {
  name: 'config',
  codes: new Set([...ANY_DOCUMENT, 'file_not_utf8', 'file_too_large']),
  open: () => {
    const folder = mkdtempSync(join(tmpdir(), 'exequatur-fuzz-'));
    const file = join(folder, 'exequatur.yaml');
    const mutants = onMutants(corpusOf(CONFIGURATIONS), async (input) => {
      writeFileSync(file, input);
      const { problems } = await readConfiguration(file);
      return taken(problems);
    });
    return Promise.resolve({
      ...mutants,
      close: () => {
        rmSync(folder, { recursive: true, force: true });
        return Promise.resolve();
      },
    });
  },
};

function shopInventory(): Inventory {
  const { document } = readYaml(textOf('examples/shop/inventory.yaml'), 'inventory.yaml');
  const inventory = document && compileInventory({ document, baseDirectory: BASE }).inventory;
  if (inventory === undefined) throw new Error('the example is an inventory');
  return inventory;
}

function shopPolicy(): CompiledPolicy {
  const { document } = readYaml(textOf('examples/shop/policy.yaml'), 'policy.yaml');
  const documents = document === undefined ? [] : [document];
  const { policy } = compilePolicy({ documents, inventory: shopInventory() });
  if (policy === undefined) throw new Error('the example is a policy');
  return policy;
}
