/**
 * A layer as a process of its own, to be killed. It takes commands as lines on standard input and says on
 * standard output, in one write each, what it answers; a line that reached the driver is an answer that
 * somebody may have acted on.
 */
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { createInterface } from 'node:readline';
import { answer, ask } from '../../src/engine/answers.ts';
import { parseActionId, parseHaltId } from '../../src/kernel/id.ts';
import { StoreError, type ActionRecord } from '../../src/engine/ports.ts';
import type { Command, Said } from './layer.ts';
import { machineMs, wallMs } from './machine.ts';
import { openShop, personOf, type Shop, type ShopParts } from './shop.ts';

const SETTLE_WAIT_MS = 10_000;

function say(said: Said): void {
  writeSync(1, `${JSON.stringify({ ...said, machineMs: machineMs(), wallMs: wallMs() })}\n`);
}

async function main(): Promise<void> {
  flushCompileCache();
  const parts: ShopParts = JSON.parse(process.argv[2] ?? '{}');
  let shop: Shop;
  try {
    shop = await openShop(parts);
  } catch (error) {
    const code = error instanceof StoreError ? error.code : 'open_failed';
    say({ said: 'not_opened', code, message: String(error) });
    process.exitCode = 3;
    return;
  }
  const lost = await shop.start();
  say({ said: 'ready', lost: lost.length });
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const command: Command = JSON.parse(line);
      void obey(shop, command).catch((error: unknown) => {
        say({ said: 'refused', n: command.n, code: codeOf(error) });
      });
    })
    .on('close', () => void shop.close().then(() => say({ said: 'closed' })));
}

async function obey(shop: Shop, command: Command): Promise<void> {
  const { n } = command;
  switch (command.do) {
    case 'propose': {
      const proposed = await shop.propose(command.key, command.payment);
      if (proposed.kind === 'refused') {
        say({ said: 'refused', n, code: proposed.code });
        return;
      }
      await tellLife(shop, n, proposed.record);
      return;
    }
    case 'approve': {
      await tellLife(shop, n, await approve(shop, command.id, command.person));
      return;
    }
    case 'halt': {
      const { halt, sent } = await shop.halt({ operation: command.operation });
      say({ said: 'halted', n, id: halt.id, sent });
      return;
    }
    case 'resume': {
      const id = parseHaltId(command.id);
      if (id !== undefined) await shop.engine.resume(shop.caller.tenant, id, 'operator');
      say({ said: 'resumed', n });
      return;
    }
    default:
      command satisfies never;
  }
}

/** Says what it is, and what became of it. */
async function tellLife(shop: Shop, n: number, { id, state }: ActionRecord): Promise<void> {
  say({ said: 'answered', n, id, state });
  if (state !== 'executing') return;
  const settled = await shop.engine.settledWithin(shop.caller.tenant, id, SETTLE_WAIT_MS);
  if (settled !== undefined) say({ said: 'answered', n, id, state: settled.state });
}

async function approve(shop: Shop, action: string, name: string): Promise<ActionRecord> {
  const id = parseActionId(action);
  if (id === undefined) throw new Error(`\`${action}\` is no id`);
  const person = personOf(name);
  const at = { tenant: shop.caller.tenant, action: id, person };
  const asked = await ask(shop.engine, at);
  if (asked.kind === 'refused') throw new Refusal(asked.code);
  const { consent, challenge } = asked;
  const answered = await answer(shop.engine, { ...at, consent, challenge, decision: 'approve' });
  if (answered.kind === 'refused') throw new Refusal(answered.code);
  return answered.record;
}

class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

await main();
