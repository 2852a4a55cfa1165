/** What the benchmarks share: an inventory, policies of any size, and an executor that does nothing. */
import type { Executor, Outcome } from '../src/engine/ports.ts';
import { compileInventory } from '../src/facts/inventory/compile.ts';
import { digestOf } from '../src/kernel/digest.ts';
import { documentOf } from '../src/kernel/document-reader.ts';
import { instantOf } from '../src/kernel/instant.ts';
import type { Inventory } from '../src/kernel/inventory.ts';
import { compilePolicy } from '../src/kernel/policy/compile.ts';
import type { CompiledPolicy } from '../src/kernel/policy/compiled.ts';

/** Targets enough that most rules are about another one. */
const TARGETS = 100;

/** A hundred payment targets with one operation each. */
export function benchInventory(): Inventory {
  const targets = Object.fromEntries(
    Array.from({ length: TARGETS }, (_, index) => [
      `shop-${String(index)}`,
      {
        http: { url: 'https://pay.invalid' },
        environment: 'staging',
        operations: {
          refund: {
            kind: 'money.transfer',
            args: { charge: 'string', amount: 'money(EUR)', reason: 'string' },
            request: { POST: '/v1/refunds', form: { charge: '$charge', amount: '$amount.minor' } },
            measures: { amount: 'args.amount' },
          },
        },
      },
    ]),
  );
  return inventoryOf(targets);
}

function inventoryOf(targets: Readonly<Record<string, unknown>>): Inventory {
  const document = documentOf({ version: 1, targets }, 'inventory.yaml');
  const { inventory, problems } = compileInventory({ document, baseDirectory: '/' });
  if (inventory === undefined) throw new Error(JSON.stringify(problems[0]));
  return inventory;
}

/** One target on this machine, with the same operation as a real request. */
export function nearInventory(port: number): Inventory {
  const near = {
    http: { url: `http://127.0.0.1:${String(port)}`, allow: ['127.0.0.0/8'] },
    environment: 'staging',
    operations: {
      refund: {
        kind: 'money.transfer',
        args: { charge: 'string', amount: 'money(EUR)', reason: 'string' },
        request: { POST: '/v1/refunds', json: { charge: '$charge', amount: '$amount.minor' } },
        measures: { amount: 'args.amount' },
      },
    },
  };
  return inventoryOf({ near });
}

/** A policy of `count` rules, three of which match a refund at `shop-0` by `bench-agent`. */
export function benchPolicy(inventory: Inventory, count: number): CompiledPolicy {
  const matching = [
    {
      id: 'a-refunds',
      match: { kind: 'money.transfer', target: 'shop-0' },
      when: 'measures.amount <= 500.00',
      allow: true,
    },
    {
      id: 'b-no-large',
      match: { target: 'shop-0' },
      when: 'measures.amount > 10000.00',
      deny: 'too much',
    },
    {
      id: 'c-limited',
      match: { kind: 'money.transfer', target: 'shop-0' },
      require: [
        { limit: { name: 'refunds', sum: 'measures.amount', max: '1000000000.00', per: '1h' } },
      ],
    },
  ];
  const others = Array.from({ length: count - matching.length }, (_, index) => ({
    id: `other-${String(index)}`,
    match: { kind: 'money.transfer', target: `shop-${String(1 + (index % (TARGETS - 1)))}` },
    when: `measures.amount > ${String(index + 1)}.00`,
    deny: 'too much',
  }));
  return policyOf([...matching, ...others], inventory);
}

/** A policy of one rule that allows everything. */
export function openPolicy(inventory: Inventory): CompiledPolicy {
  return policyOf([{ id: 'anything', match: {}, allow: true }], inventory);
}

function policyOf(rules: readonly unknown[], inventory: Inventory): CompiledPolicy {
  const document = documentOf({ version: 1, rules }, 'policy.yaml');
  const { policy, problems } = compilePolicy({ documents: [document], inventory });
  if (policy === undefined) throw new Error(JSON.stringify(problems[0]));
  return policy;
}

/** Resolves, prepares and sends nothing, at once. */
export function noOpExecutor(now: () => number): Executor {
  const effect = digestOf('exequatur/effect/v1', 'nothing');
  const done: Outcome = {
    state: 'succeeded',
    sent: true,
    code: 'done',
    message: 'nothing was done',
    result: null,
  };
  return {
    contract: 'no-op/1',
    resolve: async ({ operation }) => ({
      ok: true,
      value: {
        identity: null,
        environment: 'staging',
        operation: operation.digest,
        effect,
        credential: null,
        executor: 'no-op/1',
        files: {},
        recorded: {},
        observedAt: instantOf(now()),
      },
    }),
    preview: async () => ({ ok: true, value: 'none' }),
    prepare: async () => ({
      ok: true,
      value: {
        send: async (_, { sending }) =>
          sending() ? done : { ...done, state: 'not_executed', sent: false },
        discard: async () => {},
      },
    }),
    reconcile: async () => ({ ok: true, value: undefined }),
  };
}
