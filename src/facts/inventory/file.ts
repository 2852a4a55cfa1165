/** Files in an inventory: which directories a target declares, and what an operation does to one file. */
import type { DocumentNode } from '../../kernel/document.ts';
import type { Members } from '../../kernel/document-reader.ts';
import type { FileAction, FileOperation, FileTarget, Template } from '../../kernel/inventory.ts';
import { INVENTORY_DEFAULTS, INVENTORY_LIMITS } from './limits.ts';
import { bounded, type InventoryReading, readPath, readSize, refuse } from './reading.ts';
import { readGivenText, type TemplateReading } from './template.ts';

/** What an operation on a file can do; each has one. */
export const FILE_ACTIONS = ['write', 'move', 'delete', 'read'] as const;

/** Reads `{ roots: [/srv/site] }`. */
export function readFileTarget(
  reading: InventoryReading,
  node: DocumentNode,
): FileTarget | undefined {
  const members = reading.reader.mapping(node, { what: 'file', required: ['roots'] });
  const rootsNode = members?.get('roots');
  if (rootsNode === undefined) return undefined;
  const limit = { what: 'roots', max: INVENTORY_LIMITS.rootsMax };
  const roots = bounded(reading, rootsNode, limit).flatMap(
    (item) => readPath(reading, item, { what: 'root', from: reading.baseDirectory }) ?? [],
  );
  // Whatever left none of them is noted already.
  if (roots.length === 0) return undefined;
  if (!roots.includes('/')) return { kind: 'file', roots: [...new Set(roots)].toSorted() };
  const message = 'the whole file system is no root';
  const hint = 'name the directories that operations may act in, such as `[/srv/site]`';
  return refuse(reading, { code: 'bad_path', position: rootsNode.position, message, hint });
}

/** Reads the binding of an operation whose target holds files. */
export function readFileOperation(
  reading: TemplateReading,
  members: Members,
): FileOperation | undefined {
  const given = FILE_ACTIONS.filter((key) => members.get(key) !== undefined);
  const [kind] = given;
  const node = kind === undefined ? undefined : members.get(kind);
  const limit = { what: 'size', max: INVENTORY_LIMITS.fileBytesMax };
  const bytesMax = readSize(reading, members.get('size'), limit);
  if (kind === undefined || node === undefined || given.length > 1) {
    return refuse(reading, {
      code: 'bad_operation',
      position: members.position,
      message: 'an operation on a file has one of `write`, `move`, `delete` and `read`',
      hint: 'such as `write: { path: $path, content: $content }`',
    });
  }
  const action = readAction(reading, kind, node);
  if (action === undefined) return undefined;
  return {
    kind: 'file',
    action,
    bytesMax: bytesMax ?? INVENTORY_DEFAULTS.fileBytesMax,
    preview: 'before-and-after',
  };
}

const MEMBERS = {
  write: ['path', 'content'],
  move: ['from', 'to'],
  delete: ['path'],
  read: ['path'],
} as const;

function readAction(
  reading: TemplateReading,
  kind: (typeof FILE_ACTIONS)[number],
  node: DocumentNode,
): FileAction | undefined {
  const members = reading.reader.mapping(node, { what: kind, required: [...MEMBERS[kind]] });
  if (members === undefined) return undefined;
  const path = (key: 'path' | 'from' | 'to'): Template | undefined =>
    readFilePath(reading, members.get(key), key);
  switch (kind) {
    case 'write': {
      const [where, contentNode] = [path('path'), members.get('content')];
      const content =
        contentNode === undefined ? undefined : readGivenText(reading, contentNode, 'content');
      if (where === undefined || content === undefined) return undefined;
      return { kind, path: where, content };
    }
    case 'move': {
      const [from, to] = [path('from'), path('to')];
      return from === undefined || to === undefined ? undefined : { kind, from, to };
    }
    case 'delete':
    case 'read': {
      const where = path('path');
      return where === undefined ? undefined : { kind, path: where };
    }
    default:
      return kind satisfies never;
  }
}

/** An absolute path; the execution's id has no part in which file it is. */
function readFilePath(
  reading: TemplateReading,
  node: DocumentNode | undefined,
  what: string,
): Template | undefined {
  if (node === undefined) return undefined;
  const template = readGivenText({ ...reading, execution: 'refused' }, node, what);
  const [first] = template ?? [];
  if (first === undefined) return undefined;
  if (first.kind !== 'literal' || first.text.startsWith('/')) return template;
  return refuse(reading, {
    code: 'bad_path',
    position: node.position,
    message: `${what} is not an absolute path`,
    hint: 'begin with a slash, or with an argument of type `path(/within)`',
  });
}
