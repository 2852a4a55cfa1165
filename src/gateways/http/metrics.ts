/**
 * The numbers of `/metrics`, in the text format of Prometheus (version 0.0.4). Every label's values come
 * from a closed list, so that no agent can grow the number of series.
 */
import type { StoreMeasures } from '../../engine/ports.ts';
import { isErrorCode } from '../../protocol/errors.ts';
import type { LayerFacts } from './call.ts';

/** The media type of the format. */
export const METRICS_TYPE = 'text/plain; version=0.0.4';

/** What is measured. */
export interface MetricsParts {
  readonly layer: LayerFacts;
  /** Of the gateway, by name: `requests`, and answers by error code. */
  readonly counts: Readonly<Record<string, number>>;
  readonly store: StoreMeasures;
  readonly epoch: number;
  readonly haltsCount: number;
  /** Whether nothing is degraded. */
  readonly ready: boolean;
  /** Reasons for being degraded, by code. */
  readonly reasons: readonly string[];
  readonly waitingCount: number;
  readonly streamsCount: number;
  readonly sendingCount: number;
}

/** Writes the numbers. */
export function writeMetrics(parts: MetricsParts): string {
  const { layer, counts, store } = parts;
  const refusals = Object.entries(counts).filter(([name]) => isErrorCode(name));
  return [
    ...family('info', 'gauge', 'What runs.', [[labels({ ...layer }), 1]]),
    ...family('ready', 'gauge', '1 where nothing is degraded.', [['', Number(parts.ready)]]),
    ...family('degraded', 'gauge', 'Why it is degraded, by code.', by('code', ones(parts.reasons))),
    ...family('epoch', 'gauge', 'The active epoch.', [['', parts.epoch]]),
    ...family('halts', 'gauge', 'Halts that stand.', [['', parts.haltsCount]]),
    ...family(
      'open_actions',
      'gauge',
      'Actions that are not final, by state.',
      by('state', Object.entries(store.open)),
    ),
    ...family('sending', 'gauge', 'Executions of this process under way.', [
      ['', parts.sendingCount],
    ]),
    ...family(
      'ledger_entries_total',
      'counter',
      'Entries committed since the start, by kind: proposed, decided, crossed, barred, settled and so on.',
      by('kind', Object.entries(store.entries)),
    ),
    ...family(
      'proposals_total',
      'counter',
      'Proposals stored since the start, by the state they came into first.',
      by('state', Object.entries(store.proposed)),
    ),
    ...family(
      'changes_total',
      'counter',
      'Later changes of actions since the start, by the state they came into.',
      by('state', Object.entries(store.changed)),
    ),
    ...family('requests_total', 'counter', 'Requests since the start.', [
      ['', counts['requests'] ?? 0],
    ]),
    ...family(
      'refusals_total',
      'counter',
      'Answers that are errors since the start, by code.',
      by('code', refusals),
    ),
    ...family('waiting', 'gauge', 'Requests that wait for an outcome.', [['', parts.waitingCount]]),
    ...family('streams', 'gauge', 'Open event streams.', [['', parts.streamsCount]]),
    ...family('store_queue', 'gauge', 'Commands that wait for the store.', [
      ['', store.queueCount],
    ]),
    ...family('store_commands_total', 'counter', 'Commands in committed transactions.', [
      ['', store.commandsCount],
    ]),
    ...histogram('store_commit_seconds', 'How long commits took.', store),
  ]
    .join('\n')
    .concat('\n');
}

type Sample = readonly [labels: string, value: number];

function family(
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  samples: readonly Sample[],
): readonly string[] {
  const full = `exequatur_${name}`;
  return [
    `# HELP ${full} ${help}`,
    `# TYPE ${full} ${type}`,
    ...samples.map(([text, value]) => `${full}${text} ${String(value)}`),
  ];
}

function histogram(name: string, help: string, store: StoreMeasures): readonly string[] {
  const full = `exequatur_${name}`;
  let below = 0;
  const buckets = store.commits.map(({ upToMs, count }) => {
    below += count;
    const le = upToMs === undefined ? '+Inf' : String(upToMs / 1000);
    return `${full}_bucket${labels({ le })} ${String(below)}`;
  });
  return [
    `# HELP ${full} ${help}`,
    `# TYPE ${full} histogram`,
    ...buckets,
    `${full}_sum ${String(store.commitMs / 1000)}`,
    `${full}_count ${String(below)}`,
  ];
}

function by(label: string, values: readonly (readonly [string, number])[]): readonly Sample[] {
  return values
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([value, count]) => [labels({ [label]: value }), count]);
}

function ones(names: readonly string[]): readonly (readonly [string, number])[] {
  return [...new Set(names)].map((name) => [name, 1]);
}

function labels(values: Readonly<Record<string, string>>): string {
  const texts = Object.entries(values).map(([name, value]) => `${name}="${escaped(value)}"`);
  return `{${texts.join(',')}}`;
}

function escaped(value: string): string {
  return value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
}
