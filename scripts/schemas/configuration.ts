/** The schema of `exequatur.yaml`. */
import { ENGINE_LIMITS } from '../../src/engine/limits.ts';
import { ISOLATIONS } from '../../src/server/configuration.ts';
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
      isolation: described('How the layer is kept apart from the agents.', { enum: ISOLATIONS }),
    },
    'version',
  ),
});
