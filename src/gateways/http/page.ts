/** The plain status page at `/`: no script, no data of anybody, nothing that a key would be needed for. */
import { createHash } from 'node:crypto';
import type { CountView, ReadyView, StatusView } from '../../protocol/status.ts';
import type { LayerFacts } from './call.ts';

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}' +
  'code{font-size:.9em}dt{font-weight:600}dd{margin:0 0 .5rem}' +
  '@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}a{color:#8bf}}';

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Only this page's own style, and nothing from anywhere. */
export const PAGE_POLICY: string = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The page as HTML. */
export function renderPage({
  layer,
  ready,
  open,
}: {
  readonly layer: LayerFacts;
  readonly ready: ReadyView;
  readonly open: StatusView['open'] | undefined;
}): string {
  const mode =
    layer.mode === 'development'
      ? 'development mode: for demonstration targets on this machine only'
      : layer.mode;
  const reasons = ready.reasons
    .map(({ code, message }) => `<li><code>${escaped(code)}</code> ${escaped(message)}</li>`)
    .join('');
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width"><title>Exequatur</title>' +
    `<style>${STYLE}</style></head><body><h1>Exequatur</h1>` +
    '<p>Should this exact action execute right now?</p><dl>' +
    `<dt>Status</dt><dd>${escaped(ready.status)}</dd>` +
    `<dt>Mode</dt><dd>${escaped(mode)}</dd>` +
    `<dt>Isolation</dt><dd>${escaped(layer.isolation)}</dd>` +
    (open === undefined
      ? ''
      : `<dt>Open actions</dt><dd>${countText(open.held)} held, ${countText(open.executing)} executing, ${countText(open.unknown)} unknown</dd>`) +
    `<dt>Version</dt><dd>${escaped(layer.version)}</dd></dl>` +
    (reasons === '' ? '' : `<h2>Degraded</h2><ul>${reasons}</ul>`) +
    '<p>Actions are shown to nobody without a key: use the command <code>exequatur</code>, ' +
    'or the API under <code>/v1</code>.</p></body></html>\n'
  );
}

function countText({ count, more }: CountView): string {
  return `${String(count)}${more ? '+' : ''}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/gu, (mark) => `&#${String(mark.charCodeAt(0))};`);
}
