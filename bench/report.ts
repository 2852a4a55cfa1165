/**
 * Writes a run's figures into `docs/performance.md` and draws them:
 *
 *     node bench/main.ts --json --million > figures.jsonl
 *     node bench/report.ts figures.jsonl "the machine, in words"
 *
 * The text around the table is written by people; between the two marks everything is replaced.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Figure {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
}

/** What DESIGN section 10 aims at: the figure has to be at most, or at least, this. */
const AIMS: Readonly<Record<string, { readonly most?: number; readonly least?: number }>> = {
  decide_100_us: { most: 5 },
  decide_10000_us: { most: 10 },
  inprocess_actions_per_s: { least: 10_000 },
  inprocess_share_of_raw: { least: 0.2 },
  http_actions_per_s: { least: 5000 },
  http_share_of_inprocess: { least: 0.5 },
  rss_mib_under_load: { most: 400 },
  ready_ms: { most: 2000 },
  inprocess_share_at_1e6: { least: 0.65 },
  rss_mib_at_1e6: { most: 250 },
  rss_mib_under_load_at_1e6: { most: 400 },
  ledger_cost_share: { most: 0.15 },
};

const MARKS = ['<!-- figures -->', '<!-- /figures -->'] as const;
const BARS = [
  ['raw_batched_actions_per_s', 'raw inserts, same rows'],
  ['inprocess_actions_per_s', 'in process'],
  ['inprocess_actions_per_s_at_1e6', 'in process, 10⁶ stored'],
  ['http_actions_per_s', 'over HTTP'],
  ['http_actions_per_s_at_1e6', 'over HTTP, 10⁶ stored'],
] as const;

const [, , file = '', machine = ''] = process.argv;
const figures = readFileSync(file, 'utf8').trim().split('\n').map(readFigure);
const page = new URL('../docs/performance.md', import.meta.url);
const text = readFileSync(page, 'utf8');
const [begin, end] = [text.indexOf(MARKS[0]), text.indexOf(MARKS[1])];
if (begin < 0 || end < begin) throw new Error('docs/performance.md has no place for the figures');
const date = new Date().toISOString().slice(0, 10);
const command = '`npm run bench -- --json --million`';
const told = [`Measured on ${date}, ${machine}, by ${command}.`, '', ...table(figures), ''];
writeFileSync(page, `${text.slice(0, begin)}${MARKS[0]}\n\n${told.join('\n')}\n${text.slice(end)}`);
writeFileSync(new URL('../docs/performance.svg', import.meta.url), plot(figures));

function readFigure(line: string): Figure {
  const { metric, value, unit }: Record<string, unknown> = Object(JSON.parse(line));
  return { metric: String(metric), value: Number(value), unit: String(unit) };
}

function table(shown: readonly Figure[]): string[] {
  const rows = shown.map(({ metric, value, unit }) => {
    const { most, least } = AIMS[metric] ?? {};
    const aim =
      most === undefined ? (least === undefined ? '' : `≥ ${String(least)}`) : `≤ ${String(most)}`;
    const missed = (most !== undefined && value > most) || (least !== undefined && value < least);
    return `| \`${metric}\` | ${String(value)} ${unit} | ${aim} | ${aim === '' ? '' : missed ? 'no' : 'yes'} |`;
  });
  return ['| metric | figure | aim | reached |', '| --- | ---: | ---: | --- |', ...rows];
}

/** A bar for each rate, the raw limit first. */
function plot(shown: readonly Figure[]): string {
  const bars = BARS.flatMap(([metric, name]) => {
    const figure = shown.find((each) => each.metric === metric);
    return figure === undefined ? [] : [{ name, value: figure.value }];
  });
  const most = Math.max(...bars.map(({ value }) => value));
  const rows = bars.map(({ name, value }, index) => {
    const y = 46 + index * 34;
    const width = Math.max(1, Math.round((value / most) * 430));
    return `  <text x="190" y="${String(y + 16)}" text-anchor="end">${name}</text>
  <rect x="200" y="${String(y)}" width="${String(width)}" height="22" rx="3" fill="${index === 0 ? '#9aa4b2' : '#2f6fde'}"/>
  <text x="${String(208 + width)}" y="${String(y + 16)}">${String(Math.round(value))}</text>`;
  });
  const height = 60 + bars.length * 34;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 ${String(height)}" role="img" aria-labelledby="title" font-family="system-ui, sans-serif" font-size="14" fill="#1f2937">
  <title id="title">Durable actions a second</title>
  <rect width="720" height="${String(height)}" fill="#ffffff"/>
  <text x="20" y="28" font-weight="600">Durable actions a second</text>
${rows.join('\n')}
</svg>
`;
}
