/** One operation: its arguments, kind, effect and guards, compiled and named by its digest. */
import type { DocumentNode, MappingEntry, Position } from '../../kernel/document.ts';
import type { Members } from '../../kernel/document-reader.ts';
import { didYouMean } from '../../kernel/did-you-mean.ts';
import { digestOf, DIGEST_TAGS } from '../../kernel/digest.ts';
import { checkOperation } from '../../kernel/effect.ts';
import type {
  ExecutorBinding,
  Operation,
  OperationBinding,
  PreconditionClass,
  Target,
} from '../../kernel/inventory.ts';
import { toJsonValue } from '../../kernel/json/to-json-value.ts';
import { isKind, isRead, type Kind, KINDS } from '../../kernel/kind.ts';
import { readArguments } from './argument-type.ts';
import { checkBlobs } from './blob-argument.ts';
import { checkSecrets } from './secret-argument.ts';
import { FILE_ACTIONS, readFileOperation } from './file.ts';
import { INVENTORY_DEFAULTS, INVENTORY_LIMITS } from './limits.ts';
import { readProcessOperation } from './program.ts';
import { bounded, boundedEntries, type InventoryReading, refuse } from './reading.ts';
import { readHttpOperation } from './request.ts';
import { readSqlOperation, rowsMeasure } from './sql.ts';
import type { TemplateReading } from './template.ts';

/** What of its target an operation stands on. */
export type OperationHome = Pick<Target, 'name' | 'executor' | 'credentials' | 'probe'>;

const COMMON_KEYS = [
  'args',
  'measures',
  'once',
  'conflict',
  'safing',
  'timeout',
  'output',
  'visible',
  'preview',
  'reconcile',
];
const KEYS: Readonly<Record<ExecutorBinding['kind'], { required: string[]; optional: string[] }>> =
  {
    http: { required: ['kind', 'request'], optional: [...COMMON_KEYS, 'statuses', 'ifMatch'] },
    sql: {
      required: ['kind', 'sql'],
      optional: [...COMMON_KEYS, 'key', 'max', 'lockTimeout'],
    },
    file: {
      required: ['kind'],
      optional: [
        ...COMMON_KEYS.filter((key) => !['preview', 'reconcile', 'output'].includes(key)),
        ...FILE_ACTIONS,
        'size',
      ],
    },
    permit: {
      required: ['kind'],
      optional: COMMON_KEYS.filter(
        (key) => !['preview', 'reconcile', 'output', 'timeout'].includes(key),
      ),
    },
    process: {
      required: ['kind', 'run'],
      optional: [...COMMON_KEYS, 'env', 'files', 'exits', 'memory'],
    },
  };

/** Reads one operation of a target; `undefined` where anything about it is wrong. */
export function readOperation(
  reading: InventoryReading,
  { key, keyPosition, value }: MappingEntry,
  home: OperationHome,
): Operation | undefined {
  const { reader } = reading;
  const errorsBefore = reader.errorCount;
  reader.isName(key, keyPosition, 'operation');
  const members = reader.mapping(value, {
    what: `operation \`${key}\``,
    ...KEYS[home.executor.kind],
  });
  if (members === undefined) return undefined;
  const kind = readKind(reading, members.get('kind'));
  const fields = readArguments(reading, members.get('args'));
  checkSecrets(reading, { fields, node: members.get('args') }, home);
  checkBlobs(reading, { fields, node: members.get('args') }, home.executor);
  const declared = namesOf(members.get('args'));
  const templates: TemplateReading = {
    ...reading,
    fields,
    declared,
    execution: 'allowed',
    secrets: 'whole',
  };
  const binding = readBinding(templates, members, home);
  const rest = readRest(templates, members, home);
  if (kind === undefined || binding === undefined || reader.errorCount > errorsBefore) {
    return undefined;
  }
  warnWritingRead(reading, { kind, binding, position: members.positionOf('request') });
  const operation = withDigest(
    {
      name: key,
      target: home.name,
      kind,
      arguments: fields,
      ...rest,
      measures: { ...measuresOf(kind, binding), ...rest.measures },
      precondition: preconditionOf(binding),
      binding,
    },
    home,
  );
  checkExpressions(reading, operation, members);
  return operation;
}

function readKind(reading: InventoryReading, node: DocumentNode | undefined): Kind | undefined {
  const text = node === undefined ? undefined : reading.reader.text(node, 'kind');
  if (text === undefined || node === undefined) return undefined;
  if (isKind(text)) return text;
  const known = Object.keys(KINDS);
  return refuse(reading, {
    code: 'unknown_kind',
    position: node.position,
    message: `\`${text}\` is not a kind of consequence`,
    hint: didYouMean(text, known) ?? `one of ${known.join(', ')}`,
  });
}

function readBinding(
  reading: TemplateReading,
  members: Members,
  { executor }: OperationHome,
): OperationBinding | undefined {
  switch (executor.kind) {
    case 'http':
      return readHttpOperation(reading, members);
    case 'process':
      return readProcessOperation(
        { ...reading, directory: executor.directory, target: executor },
        members,
      );
    case 'file':
      return readFileOperation(reading, members);
    case 'sql':
      return readSqlOperation({ ...reading, engine: executor.engine }, members);
    case 'permit':
      return { kind: 'permit' };
    default:
      return executor satisfies never;
  }
}

/** How sure the target itself makes the effect (DESIGN section 6). */
function preconditionOf(binding: OperationBinding): PreconditionClass {
  if (binding.kind === 'sql') {
    if (binding.preview === undefined) return 'unconditioned';
    // As many rows need not be the same rows.
    return binding.preview.key.length === 0 ? 'read-then-act' : 'conditional';
  }
  if (binding.kind === 'process' || binding.kind === 'file') return 'read-then-act';
  if (binding.kind === 'permit') return 'unconditioned';
  if (binding.ifMatch !== undefined) return 'conditional';
  return binding.preview === undefined ? 'unconditioned' : 'read-then-act';
}

/** What a statement or a plan knows by itself; the inventory may say otherwise. */
function measuresOf(kind: Kind, binding: OperationBinding): Operation['measures'] {
  const known: Record<string, string> = {};
  if (binding.kind === 'process' && binding.preview?.as === 'terraform-plan') {
    for (const name of PLAN_MEASURES) if (name in KINDS[kind]) known[name] = `preview.${name}`;
  }
  const rows = binding.kind === 'sql' ? rowsMeasure(binding) : undefined;
  if (rows !== undefined && 'rows' in KINDS[kind]) known['rows'] = rows;
  return known;
}

const PLAN_MEASURES = ['adds', 'changes', 'destroys'] as const;

type Rest = Pick<
  Operation,
  'measures' | 'once' | 'conflictKey' | 'safing' | 'timeoutMs' | 'visibleToAgents'
>;

function namesOf(node: DocumentNode | undefined): ReadonlySet<string> {
  return new Set(node?.kind === 'mapping' ? node.entries.map(({ key }) => key) : []);
}

function readRest(reading: TemplateReading, members: Members, home: OperationHome): Rest {
  const { reader } = reading;
  const [once, conflict, safing, timeout] = ['once', 'conflict', 'safing', 'timeout'].map((key) =>
    members.get(key),
  );
  const onceText = once === undefined ? undefined : reader.text(once, 'once');
  const conflictKey = conflict === undefined ? undefined : reader.name(conflict, 'conflict');
  const isSafing = safing === undefined ? undefined : reader.boolean(safing, 'safing');
  const range = { min: 1, max: INVENTORY_LIMITS.timeoutMsMax };
  const timeoutMs = timeout === undefined ? undefined : reader.duration(timeout, 'timeout', range);
  return {
    measures: readMeasures(reading, members.get('measures')),
    ...(onceText === undefined ? {} : { once: onceText }),
    conflictKey: conflictKey ?? home.name,
    safing: isSafing ?? false,
    timeoutMs: timeoutMs ?? timeoutOf(home),
    visibleToAgents: readVisible(reading, members.get('visible')),
  };
}

/** What an executor elsewhere does takes as long as it may take to settle. */
function timeoutOf({ executor }: OperationHome): number {
  return executor.kind === 'permit' ? executor.settleWithinMs : INVENTORY_DEFAULTS.timeoutMs;
}

function readMeasures(
  reading: InventoryReading,
  node: DocumentNode | undefined,
): Readonly<Record<string, string>> {
  const measures: Record<string, string> = Object.create(null);
  const limit = { what: 'measures', max: INVENTORY_LIMITS.fieldsMax };
  for (const { key, value } of boundedEntries(reading, node, limit)) {
    // `rows: 1` is an expression as good as `rows: preview.count`.
    const isNumber = value.kind === 'scalar' && typeof value.value === 'bigint';
    const source = isNumber ? value.text : reading.reader.text(value, `measure ${key}`);
    if (source !== undefined) measures[key] = source;
  }
  return measures;
}

function readVisible(reading: TemplateReading, node: DocumentNode | undefined): readonly string[] {
  const limit = { what: 'visible', max: INVENTORY_LIMITS.argumentsMax };
  const names = bounded(reading, node, limit).flatMap((item) => {
    const name = reading.reader.text(item, 'visible');
    if (name === undefined || reading.declared.has(name)) return name ?? [];
    refuse(reading, {
      code: 'unknown_argument',
      position: item.position,
      message: `there is no argument \`${name}\``,
      hint: didYouMean(name, [...reading.declared]),
    });
    return [];
  });
  return [...new Set(names)].toSorted();
}

function warnWritingRead(
  reading: InventoryReading,
  read: { readonly kind: Kind; readonly binding: OperationBinding; readonly position: Position },
): void {
  const { kind, binding, position } = read;
  if (!isRead(kind) || binding.kind !== 'http' || binding.method === 'GET') return;
  reading.reader.warning({
    code: 'read_may_write',
    position,
    message: `\`${kind}\` is sent as ${binding.method}, which may write`,
    hint: 'reads are never taken for the same effect twice; choose another kind if this writes',
  });
}

/** The definition with everything of the target that it stands on; credentials by reference only. */
function withDigest(definition: Omit<Operation, 'digest'>, home: OperationHome): Operation {
  const { executor, credentials, probe } = home;
  const covered = { definition, executor, credentials, ...(probe === undefined ? {} : { probe }) };
  return { ...definition, digest: digestOf(DIGEST_TAGS.operation, toJsonValue(covered)) };
}

/** Notes what is wrong with `once` and the measures, at the text that says it. */
function checkExpressions(reading: InventoryReading, operation: Operation, members: Members): void {
  for (const { code, message, where, hint } of checkOperation(operation)) {
    reading.reader.error({ code, message, hint, position: positionOf(members, where) });
  }
}

function positionOf(members: Members, where: string): Position {
  const [key = '', name] = where.split('.', 2);
  const node = members.get(key);
  if (name === undefined || node?.kind !== 'mapping')
    return node?.position ?? members.positionOf(key);
  const entry = node.entries.find((candidate) => candidate.key === name);
  return entry?.value.position ?? node.position;
}
