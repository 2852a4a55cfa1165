/** The live feed of development: one line for each thing that happened to an action, with its reason. */
import { safeText } from '../cli/safe-text.ts';
import { styleOfState, type Paint } from '../cli/terminal.ts';
import type { Engine } from '../engine/engine.ts';
import type { ActionRecord, LedgerRow } from '../engine/ports.ts';
import { readEntry } from '../gateways/http/ledger-events.ts';
import { parseActionId, type TenantName } from '../kernel/id.ts';

/** Entries read at once. */
const BATCH_COUNT = 200;

/** Feeds until the returned function is called. Only what happens from now on is told. */
export async function feed(
  engine: Engine,
  tenant: TenantName,
  parts: { readonly paint: Paint; readonly print: (line: string) => void },
): Promise<() => void> {
  let after = await newestSequence(engine, tenant);
  let reading = false;
  let again = false;
  const read = async (): Promise<void> => {
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    try {
      do {
        again = false;
        const rows = await engine.store.ledger(tenant, after, BATCH_COUNT);
        for (const row of rows) {
          after = row.sequence;
          const line = await lineOf(engine, tenant, row, parts.paint);
          if (line !== undefined) parts.print(line);
        }
        if (rows.length === BATCH_COUNT) again = true;
      } while (again);
    } catch {
      // The store is closing: there is nothing more to tell.
    } finally {
      reading = false;
    }
  };
  return engine.watch.listenAll(() => void read());
}

/** The newest sequence: doubled until nothing follows it, then halved down, since the store has no such question. */
async function newestSequence(engine: Engine, tenant: TenantName): Promise<number> {
  const follows = async (sequence: number): Promise<boolean> =>
    (await engine.store.ledger(tenant, sequence, 1)).length > 0;
  let high = 1;
  while (await follows(high)) high *= 2;
  let low = 0;
  // INVARIANT: nothing follows `high`; something follows everything below `low`.
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await follows(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function lineOf(
  engine: Engine,
  tenant: TenantName,
  row: LedgerRow,
  paint: Paint,
): Promise<string | undefined> {
  const entry = readEntry(row);
  if (entry === undefined || entry.kind === 'proposed') return undefined;
  const { kind, at, action: id, body } = entry;
  const time = paint('quiet', new Date(at).toISOString().slice(11, 19));
  const action = id === undefined ? undefined : parseActionId(id);
  const record = action === undefined ? undefined : await engine.store.action(tenant, action);
  if (record === undefined) return `${time}  ${controlText(kind, body)}`;
  const words = wordsOf(kind, body, record);
  const what = `${safeText(record.operation)} · ${safeText(record.target)} · ${safeText(record.agent)}`;
  const said = paint(styleOfState(words.state), words.state.replaceAll('_', ' ').padEnd(12));
  const reason = words.reason === '' ? '' : ` · ${safeText(words.reason)}`;
  return `${time}  ${said}  ${what}${reason} · ${paint('quiet', record.id.slice(0, 13))}`;
}

function wordsOf(
  kind: string,
  body: unknown,
  record: ActionRecord,
): { readonly state: string; readonly reason: string } {
  const outcome = memberOf(body, 'outcome');
  const code = memberOf(body, 'code');
  switch (kind) {
    case 'decided': {
      const verdict = memberOf(body, 'verdict');
      return { state: verdict === 'deny' ? 'denied' : 'held', reason: reasonOf(record) };
    }
    case 'crossed':
      return { state: 'executing', reason: 'admitted' };
    case 'settled':
    case 'resolved':
      return {
        state: typeof outcome === 'string' ? outcome : kind,
        reason: typeof code === 'string' ? code : '',
      };
    case 'approved':
    case 'confirmed':
      return { state: 'held', reason: `${kind} by ${String(memberOf(body, 'approver'))}` };
    default:
      return { state: kind, reason: '' };
  }
}

/** The finding that names the reason. */
function reasonOf({ decision }: ActionRecord): string {
  const finding = decision?.findings.find(({ status }) => status !== 'met');
  return finding === undefined ? '' : finding.message;
}

function controlText(kind: string, body: unknown): string {
  const parts = ['change', 'account', 'name', 'reason', 'epoch', 'by'].flatMap((name) => {
    const value = memberOf(body, name);
    return typeof value === 'string' || typeof value === 'number'
      ? [`${name} ${String(value)}`]
      : [];
  });
  return safeText([kind, ...parts].join(' · '));
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
