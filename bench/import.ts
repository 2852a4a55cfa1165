/** How long the OpenAPI document of a large public API takes to become an inventory: milliseconds. */
import { stringify } from 'yaml';
import { importOpenApi } from '../src/facts/inventory/import/openapi.ts';

const PROPERTIES = 15;

/** Imports a document of `count` operations, written as JSON and as YAML. */
export function importMs(count: number): { readonly json: number; readonly yaml: number } {
  const document = large(count);
  return {
    json: tookMs(JSON.stringify(document)),
    yaml: tookMs(stringify(document, { aliasDuplicateObjects: false })),
  };
}

function tookMs(source: string): number {
  const before = performance.now();
  const imported = importOpenApi(source, { origin: 'large.json' });
  if (!imported.ok) throw new Error(imported.message);
  return performance.now() - before;
}

function large(count: number): unknown {
  const properties = Object.fromEntries(
    Array.from({ length: PROPERTIES }, (_, index) => [
      `field${String(index)}`,
      { type: 'string', description: 'What it is for, at some length.' },
    ]),
  );
  const schema = { type: 'object', properties };
  const paths = Array.from({ length: count }, (_, index) => [
    `/things${String(index)}/{id}`,
    {
      post: {
        operationId: `changeThing${String(index)}`,
        description: 'Changes a thing. '.repeat(10),
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        requestBody: { content: { 'application/json': { schema } } },
        responses: { 200: { description: 'Done.' } },
      },
    },
  ]);
  return {
    openapi: '3.0.3',
    info: { title: 'Large', version: '1' },
    servers: [{ url: 'https://large.example' }],
    paths: Object.fromEntries(paths),
  };
}
