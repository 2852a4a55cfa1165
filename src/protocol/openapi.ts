/**
 * The OpenAPI 3.1 document of the API, made from the route table and the schemas that check requests
 * and answers, so that it says nothing the gateway does not do. It is one object, made once.
 */
import * as z from 'zod';
import type { JsonObject, JsonValue } from '../kernel/json/value.ts';
import {
  actionList,
  actionView,
  explanationView,
  forecastRequest,
  forecastView,
  proposeRequest,
} from './actions.ts';
import { blobView } from './blobs.ts';
import { answerRequest, consentView, resolutionRequest } from './answers.ts';
import {
  accountList,
  accountView,
  agentRequest,
  enrolledView,
  keyList,
  keyRequest,
  keyView,
  personRequest,
} from './directory.ts';
import { ERROR_CODES, problemDetails } from './errors.ts';
import { eventView, history } from './events.ts';
import { findingView } from './finding-view.ts';
import { haltedView, haltList, haltRequest, haltView } from './halts.ts';
import { IDEMPOTENCY_KEY_LENGTH_MAX, MEDIA_TYPES, WAIT_SECONDS_DEFAULT } from './headers.ts';
import { KEY_SORTS } from './keys.ts';
import { ROUTES, type Route } from './routes.ts';
import { readyView, statusView } from './status.ts';
import { instantText, jsonObject } from './words.ts';

type Schema = z.ZodType;
type AnyRoute = Route<unknown, unknown, unknown>;

/** Where a component stands in the document. */
const COMPONENTS = '#/components/schemas/';

/** Shapes with a name of their own; a route's other shapes are named after the route. */
const NAMES: Readonly<Record<string, Schema>> = {
  Instant: instantText,
  Problem: problemDetails,
  Finding: findingView,
  Event: eventView,
  ProposeRequest: proposeRequest,
  ForecastRequest: forecastRequest,
  AnswerRequest: answerRequest,
  ResolutionRequest: resolutionRequest,
  HaltRequest: haltRequest,
  AgentRequest: agentRequest,
  PersonRequest: personRequest,
  Action: actionView,
  ActionList: actionList,
  Explanation: explanationView,
  Forecast: forecastView,
  Consent: consentView,
  Blob: blobView,
  History: history,
  Halt: haltView,
  HaltList: haltList,
  Halted: haltedView,
  Account: accountView,
  AccountList: accountList,
  Enrolled: enrolledView,
  KeyRequest: keyRequest,
  Key: keyView,
  KeyList: keyList,
  Status: statusView,
  Ready: readyView,
};

/** The document, for a version of the layer. */
export function openApiOf(version: string): JsonObject {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMES)) registry.add(schema, { id });
  const routes: readonly (readonly [string, AnyRoute])[] = Object.entries({ ...ROUTES });
  for (const [name, route] of routes) registerShapes(registry, name, route);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Exequatur',
      version,
      summary: 'Should this exact action execute right now?',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: pathsOf(routes, registry),
    components: {
      schemas: schemasOf(registry),
      securitySchemes: Object.fromEntries(KEY_SORTS.map((sort) => [sort, schemeOf(sort)])),
    },
  };
}

type Registry = z.core.$ZodRegistry<{ id: string }>;

function registerShapes(registry: Registry, name: string, route: AnyRoute): void {
  const own = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
  if (route.body !== undefined && !registry.has(route.body)) {
    registry.add(route.body, { id: `${own}Request` });
  }
  if (isJson(route) && route.answer !== jsonObject && !registry.has(route.answer)) {
    registry.add(route.answer, { id: `${own}Answer` });
  }
}

function isJson({ produces }: AnyRoute): boolean {
  return produces === undefined || produces === 'explained';
}

function schemasOf(registry: Registry): JsonObject {
  const { schemas } = z.toJSONSchema(registry, {
    uri: (id) => `${COMPONENTS}${id}`,
    ...CONVERSION,
  });
  const entries = Object.entries(schemas).map(([id, schema]) => [id, plain(schema)]);
  return Object.fromEntries(
    entries.toSorted(([left = ''], [right = '']) => (left < right ? -1 : 1)),
  );
}

/** Answers are open: a client must bear with members that a later version adds. */
const CONVERSION = {
  io: 'input',
  unrepresentable: 'any',
  override: ({
    zodSchema,
    jsonSchema,
  }: {
    readonly zodSchema: unknown;
    readonly jsonSchema: z.core.JSONSchema.BaseSchema;
  }) => {
    if (zodSchema === jsonObject) jsonSchema.type = 'object';
    // The calendar as a regular expression tells a reader nothing that the format does not.
    if (zodSchema === instantText) delete jsonSchema.pattern;
    if (zodSchema === problemDetails && jsonSchema.properties !== undefined) {
      jsonSchema.properties['code'] = { type: 'string', enum: Object.keys(ERROR_CODES) };
    }
  },
} as const satisfies z.core.ToJSONSchemaParams;

function schemaOf(schema: Schema): JsonObject {
  return plain(z.toJSONSchema(schema, CONVERSION));
}

/** As JSON, without what OpenAPI says once for the whole document. */
function plain(schema: object): JsonObject {
  const copy: { [name: string]: JsonValue } = JSON.parse(JSON.stringify(schema));
  delete copy['$schema'];
  delete copy['$id'];
  delete copy['id'];
  return copy;
}

function schemeOf(sort: (typeof KEY_SORTS)[number]): JsonObject {
  return { type: 'http', scheme: 'bearer', description: `The key of a sort: \`exq_${sort}_…\`.` };
}

function pathsOf(routes: readonly (readonly [string, AnyRoute])[], registry: Registry): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const [name, route] of routes) {
    const path = (paths[route.path.replace('{+', '{')] ??= {});
    path[route.method.toLowerCase()] = operationOf(name, route, registry);
  }
  return paths;
}

function operationOf(name: string, route: AnyRoute, registry: Registry): JsonObject {
  const parameters = parametersOf(route);
  return {
    operationId: name,
    summary: route.summary,
    security: securityOf(route),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.takes === 'bytes'
      ? { requestBody: { required: true, content: { [MEDIA_TYPES.bytes]: { schema: {} } } } }
      : {}),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { [MEDIA_TYPES.json]: { schema: refTo(route.body, registry) } },
          },
        }),
    responses: responsesOf(route, registry),
  };
}

function securityOf({ auth, publishable }: AnyRoute): readonly JsonObject[] {
  if (auth === 'none') return [];
  const sorts = auth.map((sort): JsonObject => ({ [sort]: [] }));
  return publishable === true ? [...sorts, {}] : sorts;
}

function parametersOf(route: AnyRoute): readonly JsonObject[] {
  const inPath = [...route.path.matchAll(/\{\+?(\w+)\}/gu)].map(([, name = '']): JsonObject => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const { properties = {} } = schemaOf(route.query);
  const inQuery = Object.entries(properties ?? {}).map(
    ([name, schema]: [string, JsonValue]): JsonObject => ({ name, in: 'query', schema }),
  );
  return [...inPath, ...inQuery, ...(route.idempotent === true ? PROPOSAL_HEADERS : [])];
}

const PROPOSAL_HEADERS: readonly JsonObject[] = [
  {
    name: 'Idempotency-Key',
    in: 'header',
    required: true,
    description: 'The same key with the same body is the same action.',
    schema: { type: 'string', minLength: 1, maxLength: IDEMPOTENCY_KEY_LENGTH_MAX },
  },
  {
    name: 'Prefer',
    in: 'header',
    description: `\`wait=N\`: answer when settled or after N seconds; ${String(WAIT_SECONDS_DEFAULT)} if absent.`,
    schema: { type: 'string' },
  },
];

function responsesOf(route: AnyRoute, registry: Registry): JsonObject {
  const content = contentOf(route, registry);
  const statuses = route.statuses.map((status): [string, JsonObject] => [
    String(status),
    { description: WORDS[status] ?? 'Answered', content },
  ]);
  return {
    ...Object.fromEntries(statuses),
    default: {
      description: 'Not done; `executed` says what became of the effect',
      content: { [MEDIA_TYPES.problem]: { schema: { $ref: `${COMPONENTS}Problem` } } },
    },
  };
}

const WORDS: Readonly<Record<number, string>> = {
  200: 'Done',
  201: 'Made',
  202: 'Not settled yet: poll, and do not propose again',
  503: 'Not available now',
};

function contentOf(route: AnyRoute, registry: Registry): JsonObject {
  const text = { schema: { type: 'string' } };
  switch (route.produces) {
    case 'events':
      return { [MEDIA_TYPES.events]: text };
    case 'html':
    case 'text':
      return { [MEDIA_TYPES[route.produces]]: text };
    case 'bytes':
    case 'receipt':
      return { [MEDIA_TYPES[route.produces]]: { schema: {} } };
    case 'explained':
      return {
        [MEDIA_TYPES.json]: { schema: refTo(route.answer, registry) },
        [MEDIA_TYPES.text]: text,
      };
    case undefined:
      return { [MEDIA_TYPES.json]: { schema: refTo(route.answer, registry) } };
    default:
      return route.produces satisfies never;
  }
}

function refTo(schema: Schema, registry: Registry): JsonObject {
  const id = registry.get(schema)?.id;
  return id === undefined ? schemaOf(schema) : { $ref: `${COMPONENTS}${id}` };
}
