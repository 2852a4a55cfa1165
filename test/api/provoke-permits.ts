/** What gives each error code of permits. */
import { setTimeout as wait } from 'node:timers/promises';

import type { ErrorCode } from '../../src/protocol/errors.ts';
import type { Answer, Layer, LayerParts } from '../fixtures/layer.ts';
import { ask, claimed, move, redeem, settle, startCell } from '../fixtures/permits.ts';

type PermitCode =
  | Extract<ErrorCode, `permit_${string}`>
  | 'permits_off'
  | 'not_redeemer'
  | 'evidence_missing'
  | 'result_too_large'
  | 'not_a_permit';

interface Cell {
  readonly layer: Layer;
  readonly agent: string;
  readonly cell: string;
}

/** Asks a layer of its own, which ends with the answer. */
async function inCell(
  work: (cell: Cell) => Promise<Answer>,
  changes: Partial<LayerParts> = {},
): Promise<Answer> {
  const layer = await startCell(changes);
  try {
    const [agent, cell] = [await layer.agentKey(), await layer.executorKey('cell')];
    return await work({ layer, agent, cell });
  } finally {
    await layer.close();
  }
}

async function claimIn({ layer, agent }: Cell, body = move()): Promise<string> {
  return claimed(await ask(layer, agent, body)).claim;
}

/** So that `executed` is `no`. */
const NOTHING = { outcome: 'not_executed', evidence: 'the interlock was open' };

async function settling(said: Readonly<Record<string, unknown>>): Promise<Answer> {
  return inCell(async (at) => {
    const { id, claim } = claimed(await ask(at.layer, at.agent, move()));
    const { body } = await redeem(at.layer, at.cell, claim);
    const handed = { id, execution: String(body['execution']) };
    if (said['outcome'] === 'succeeded') await settle(at.layer, at.cell, handed, NOTHING);
    return settle(at.layer, at.cell, handed, said);
  });
}

/** By code. */
export const PERMIT_PROVOCATIONS: Readonly<Record<PermitCode, () => Promise<Answer>>> = {
  permit_unknown: () =>
    inCell(({ layer, cell }) => settle(layer, cell, { id: 'none', execution: 'none' })),
  permit_malformed: () => inCell(({ layer, cell }) => redeem(layer, cell, 'a.b.c')),
  permit_not_genuine: () =>
    inCell((at) => inCell(async ({ layer, cell }) => redeem(layer, cell, await claimIn(at)))),
  permit_for_another: () =>
    inCell(async (at) => redeem(at.layer, await at.layer.executorKey('press'), await claimIn(at))),
  permit_expired: () =>
    inCell(async (at) => {
      const deadline = new Date(Date.now() + 1500).toISOString();
      const claim = await claimIn(at, { ...move(), deadline });
      await wait(1500);
      return redeem(at.layer, at.cell, claim);
    }),
  permit_redeemed: () =>
    inCell(async (at) => {
      const claim = await claimIn(at);
      const { body } = await redeem(at.layer, at.cell, claim);
      const handed = { id: String(body['id']), execution: String(body['execution']) };
      await settle(at.layer, at.cell, handed, NOTHING);
      return redeem(at.layer, at.cell, claim);
    }),
  permit_not_admitted: () =>
    inCell(async (at) => {
      const claim = await claimIn(at);
      const body = { scope: { agent: 'bot' }, reason: 'drill' };
      await at.layer.ask('POST /v1/halts', { key: at.layer.operatorKey, body });
      return redeem(at.layer, at.cell, claim);
    }),
  permit_settled: () => settling({ outcome: 'succeeded' }),
  evidence_missing: () => settling({ outcome: 'not_executed' }),
  result_too_large: () => settling({ outcome: 'failed', result: 'x'.repeat(65_600) }),
  not_redeemer: () => settling({ outcome: 'failed', execution: 'another' }),
  not_a_permit: () =>
    inCell(({ layer, agent }) =>
      ask(layer, agent, { target: 'box', operation: 'look', args: { name: 'a' } }),
    ),
  permit_too_large: () =>
    inCell(({ layer, agent }) =>
      ask(layer, agent, { ...move(), args: { arm: 1, to: 'x'.repeat(66_000) } }),
    ),
  permits_off: () => inCell(({ layer, agent }) => ask(layer, agent, move()), { signer: 'none' }),
};
