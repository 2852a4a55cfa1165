/** The text of an OpenAPI document as plain values. UNTRUSTED: anybody may have written it. */
import { Composer, Parser } from 'yaml';
import { IMPORT_LIMITS, refuseImport } from './draft.ts';
import { isMembers, text, type Members } from './schema.ts';

/** Aliases that a YAML document may have. */
const ALIASES_MAX = 100;

/** The document, which is OpenAPI 3.0 or 3.1. It is read to be reviewed by a person, never to be decided on. */
export function readOpenApi(source: string): Members {
  const bytes = Buffer.byteLength(source);
  tooLarge(bytes, IMPORT_LIMITS.documentBytesMax);
  const isJson = /^\s*\{/u.test(source.slice(0, 1000));
  if (!isJson) tooLarge(bytes, IMPORT_LIMITS.yamlBytesMax);
  const document = isJson ? readJson(source) : readYamlText(source);
  const version = isMembers(document) ? text(document, 'openapi') : undefined;
  if (isMembers(document) && version !== undefined && /^3\.[01](?:\.|$)/u.test(version)) {
    return document;
  }
  const older = isMembers(document) && text(document, 'swagger') !== undefined;
  const message = older
    ? 'the document is Swagger 2.0; convert it to OpenAPI 3 first'
    : 'the document is not OpenAPI 3.0 or 3.1';
  return refuseImport('document_not_openapi', message, '/openapi');
}

function tooLarge(bytes: number, max: number): void {
  if (bytes <= max) return;
  refuseImport('import_too_large', `the document has more than ${String(max)} bytes`);
}

function readJson(source: string): unknown {
  try {
    const value: unknown = JSON.parse(source);
    return value;
  } catch {
    // The parser's message repeats the text, which may be anything.
    return refuseImport('document_unreadable', 'the document is not JSON');
  }
}

function readYamlText(source: string): unknown {
  try {
    const composer = new Composer({
      // The package compares every pair of keys otherwise.
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
      // A date stays the text that it is.
      schema: 'core',
    });
    const [document, second] = [...composer.compose(soundTokens(source))];
    if (document !== undefined && second === undefined && document.errors.length === 0) {
      const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX });
      return value;
    }
  } catch {
    // Also where it is nested so deep that the parser gives up.
  }
  return refuseImport('document_unreadable', 'the document is neither JSON nor YAML');
}

/** Ends at the first error: the package keeps one with its stack for each character that follows. */
function* soundTokens(source: string): ReturnType<Parser['parse']> {
  for (const token of new Parser().parse(source)) {
    if (token.type === 'error') throw new Error(token.message);
    yield token;
  }
}
