/** The process side of an operation: the program, its files, preview, evidence, and what exits mean. */
import type { DocumentNode } from '../../kernel/document.ts';
import type { Members } from '../../kernel/document-reader.ts';
import type { ProcessOperation, ProcessTarget, Template } from '../../kernel/inventory.ts';
import { INVENTORY_DEFAULTS, INVENTORY_LIMITS } from './limits.ts';
import { readOutcomes } from './outcomes.ts';
import { bounded, readPath, readPointers, readSize, refuse } from './reading.ts';
import { warnEmptyPreview } from './request.ts';
import { readWord, type TemplateReading } from './template.ts';
import { readVariables } from './variables.ts';

/** What a program's operation is read with: its templates, and where its target works. */
export interface ProgramReading extends TemplateReading {
  /** Absolute; what `./deploy.sh` starts from. */
  readonly directory: string;
  readonly target: ProcessTarget;
}

/** Reads the binding of an operation whose target runs programs. */
export function readProcessOperation(
  reading: ProgramReading,
  members: Members,
): ProcessOperation | undefined {
  const run = readRun(reading, members.get('run'));
  const environment = readVariables(reading, members.get('env'), reading.target);
  const files = readFiles(reading, members.get('files'));
  const exits = readOutcomes(reading, members.get('exits'), EXITS);
  const output = { what: 'output', max: INVENTORY_LIMITS.outputBytesMax };
  const outputBytesMax = readSize(reading, members.get('output'), output);
  const memory = { what: 'memory', max: INVENTORY_LIMITS.memoryBytesMax };
  const memoryBytesMax = readSize(reading, members.get('memory'), memory);
  const preview = readPreview(reading, members.get('preview'));
  const reconcile = readReconcile(reading, members.get('reconcile'));
  if (run === undefined) return undefined;
  return {
    kind: 'process',
    run,
    ...(environment === undefined ? {} : { environment }),
    files,
    exits,
    outputBytesMax: outputBytesMax ?? INVENTORY_DEFAULTS.outputBytesMax,
    ...(memoryBytesMax === undefined ? {} : { memoryBytesMax }),
    ...(preview === undefined ? {} : { preview }),
    ...(reconcile === undefined ? {} : { reconcile }),
  };
}

const EXITS = {
  what: 'exits',
  pattern: /^(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])$/u,
  hint: 'an exit code from 0 to 255',
} as const;

// ---------------------------------------------------------------- the words

function readRun(
  reading: ProgramReading,
  node: DocumentNode | undefined,
): readonly Template[] | undefined {
  if (node === undefined) return undefined;
  const items = reading.reader.list(node, 'run');
  if (items === undefined) return undefined;
  const [first, ...rest] = items;
  if (first === undefined || items.length > INVENTORY_LIMITS.wordsMax) {
    const message = `run has 1 to ${INVENTORY_LIMITS.wordsMax} words`;
    return refuse(reading, { code: 'bad_operation', position: node.position, message });
  }
  const executable = readExecutable(reading, first);
  const words = rest.map((item) => readWord(reading, item));
  if (executable === undefined || words.some((word) => word === undefined)) return undefined;
  return [[{ kind: 'literal', text: executable }], ...words.filter((word) => word !== undefined)];
}

/** INVARIANT: what runs is named by a path of its own; `PATH` and arguments have no part in it. */
function readExecutable(reading: ProgramReading, node: DocumentNode): string | undefined {
  const text = reading.reader.text(node, 'program');
  if (text === undefined) return undefined;
  if (/^(?:\/|\.\.?\/)/u.test(text) && !text.includes('$')) {
    return readPath(reading, node, { what: 'program', from: reading.directory });
  }
  return refuse(reading, {
    code: 'bad_path',
    position: node.position,
    message: `\`${text}\` is not the path of a program`,
    hint: "write `/usr/bin/…`, or `./…` to start from the target's directory",
  });
}

function readFiles(reading: ProgramReading, node: DocumentNode | undefined): readonly string[] {
  const limit = { what: 'files', max: INVENTORY_LIMITS.filesMax };
  const paths = bounded(reading, node, limit).flatMap(
    (item) => readPath(reading, item, { what: 'file', from: reading.directory }) ?? [],
  );
  return [...new Set(paths)].toSorted();
}

// ---------------------------------------------------------------- preview and evidence

function readPreview(
  reading: ProgramReading,
  node: DocumentNode | undefined,
): ProcessOperation['preview'] | undefined {
  if (node === undefined) return undefined;
  const members = reading.reader.mapping(node, {
    what: 'preview',
    required: ['run'],
    optional: ['material', 'context', 'as'],
  });
  if (members === undefined) return undefined;
  const run = readRun({ ...reading, execution: 'refused' }, members.get('run'));
  const material = readPointers(reading, members.get('material'), 'material');
  const context = readPointers(reading, members.get('context'), 'context');
  const asNode = members.get('as');
  if (asNode === undefined) {
    if (members.get('material') === undefined) warnEmptyPreview(reading, node);
    return run === undefined ? undefined : { run, material, context };
  }
  const as = reading.reader.oneOf(asNode, 'as', ['terraform-plan'] as const);
  if (members.get('material') !== undefined) {
    const message = '`as` says what the material part is; there is no `material` beside it';
    return refuse(reading, { code: 'bad_operation', position: asNode.position, message });
  }
  return run === undefined || as === undefined ? undefined : { run, as, material, context };
}

function readReconcile(
  reading: ProgramReading,
  node: DocumentNode | undefined,
): ProcessOperation['reconcile'] | undefined {
  if (node === undefined) return undefined;
  const members = reading.reader.mapping(node, {
    what: 'reconcile',
    required: ['run', 'exits'],
  });
  if (members === undefined) return undefined;
  const run = readRun(reading, members.get('run'));
  const exits = readOutcomes(reading, members.get('exits'), EXITS);
  return run === undefined ? undefined : { run, exits };
}
