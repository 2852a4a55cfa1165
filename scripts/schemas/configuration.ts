/** The schema of `exequatur.yaml`. */
import { ENGINE_LIMITS } from '../../src/engine/limits.ts';
import { ISOLATIONS } from '../../src/server/configuration.ts';
import { BLOB_LIMITS } from '../../src/stores/blobs/limits.ts';
import {
  described,
  documentSchema,
  DURATION,
  members,
  NAME,
  oneOrMore,
  TEXT,
  type Schema,
} from './parts.ts';

/** Durations have no unit in their names there. */
const LIMITS = Object.fromEntries(
  Object.keys(ENGINE_LIMITS).map((name): [string, Schema] => {
    const plain = name.replace(/Ms(?=[A-Z]|$)/u, '');
    return [plain, plain === name ? { type: 'integer', minimum: 1 } : DURATION];
  }),
);

const SIZE: Schema = {
  anyOf: [
    { type: 'integer', minimum: 1 },
    { type: 'string', pattern: '^\\d{1,12}(?:KiB|MiB|GiB)$' },
  ],
};

const BLOBS = Object.fromEntries(
  Object.keys(BLOB_LIMITS).map((name): [string, Schema] => {
    if (name === 'keepMs') return ['keep', DURATION];
    return [name, name.startsWith('uploads') ? { type: 'integer', minimum: 1 } : SIZE];
  }),
);

/** The schema of a configuration. */
export const CONFIGURATION: Schema = documentSchema('configuration', {
  title: 'The configuration of a layer of Exequatur',
  ...members(
    {
      version: { const: 1 },
      tenant: NAME,
      listen: members({
        host: TEXT,
        port: { type: 'integer', minimum: 0, maximum: 65_535 },
        hosts: described('Names by which the layer may be reached besides.', oneOrMore(TEXT)),
      }),
      data: described('The directory that holds what the layer keeps.', TEXT),
      inventory: TEXT,
      policy: described('One file, or several.', oneOrMore(TEXT)),
      limits: members(LIMITS),
      retention: described(
        'How long content is kept; for ever where it is not said.',
        members({ settled: DURATION, denied: DURATION }),
      ),
      blobs: described(
        'How much of blobs is kept, and for how long.',
        members({ ...BLOBS, copies: described('Where programs find copies of them.', TEXT) }),
      ),
      ledger: described(
        'What the log is called, where its keys lie, who may read it, and who cosigns it.',
        members({
          origin: described('A host and a path without a scheme, which never change.', TEXT),
          keys: described('The directory of the signing keys.', TEXT),
          public: described('Whether checkpoint and tiles are for everybody.', { type: 'boolean' }),
          witnesses: {
            type: 'array',
            maxItems: 16,
            items: members(
              {
                key: described('Its verifier key (C2SP signed-note).', TEXT),
                url: described('Its submission prefix (C2SP tlog-witness).', TEXT),
              },
              'key',
              'url',
            ),
          },
        }),
      ),
      isolation: described('How the layer is kept apart from the agents.', { enum: ISOLATIONS }),
    },
    'version',
  ),
});
