/**
 * The policy of the shop in TypeScript: the same document as policy.yaml beside it, in the same words,
 * and a target, operation or environment that the inventory does not have is a type error.
 *
 * `exequatur policy print examples/shop/policy.ts` prints what a layer loads.
 */
import { definePolicy, type PolicyDocument } from '../../src/sdk/policy.ts';
import type { Inventory } from './inventory.types.ts';

/** What `exequatur policy print` prints. */
export const policy: PolicyDocument<Inventory> = definePolicy<Inventory>({
  version: 1,
  roles: ['support-bot', 'release-agent', 'payments-lead', 'executive'],
  calendars: {
    'production-maintenance': {
      zone: 'Europe/Berlin',
      open: [
        { weekly: 'Tue,Thu 22:00-02:00' },
        { rrule: 'FREQ=MONTHLY;BYDAY=2SA', start: '2026-01-01T06:00', duration: '4h' },
      ],
      closed: [{ from: '2026-12-20T00:00', until: '2027-01-04T00:00' }],
    },
  },
  facts: {
    incident: {
      type: { object: { open: 'boolean', severity: 'integer' } },
      source: { file: './status.json', pointer: '/incident' },
      timeout: '500ms',
    },
  },
  rules: [
    { id: 'reading-is-free', match: { kind: 'data.read' }, allow: true },
    {
      id: 'support-refunds',
      match: {
        kind: 'money.transfer',
        target: 'shop-payments',
        principal: { role: 'support-bot' },
      },
      when: 'measures.amount <= 500.00',
      allow: [
        {
          limit: {
            name: 'refunds',
            by: 'principal.agent',
            sum: 'measures.amount',
            max: '2000.00',
            per: '1d',
          },
        },
      ],
    },
    {
      id: 'refunds-over-20',
      match: { kind: 'money.transfer' },
      when: 'measures.amount > 20.00',
      require: [
        { approval: { from: 'role:payments-lead', count: 1, askFor: '8h', validFor: '1h' } },
      ],
    },
    {
      id: 'refunds-in-euro-only',
      match: { kind: 'money.transfer' },
      when: 'measures.currency != "EUR"',
      deny: 'Refunds are paid in euro only; ask team-payments about other currencies.',
    },
    {
      id: 'release-agents-deploy',
      match: { kind: 'code.execute', principal: { role: 'release-agent' } },
      allow: [{ limit: { name: 'deploys', by: 'target.name', count: 5, per: '1h' } }],
    },
    {
      id: 'no-deploy-during-an-incident',
      match: { kind: 'code.execute', operation: 'deploy' },
      require: [{ fact: { name: 'incident', is: '!fact.open', maxAge: '0s' } }],
    },
    {
      id: 'production-needs-consent',
      match: { kind: 'code.execute', target: { environment: 'production' } },
      require: [
        { approval: { from: 'role:executive', count: 1, askFor: '8h', validFor: '1h' } },
        { window: 'production-maintenance' },
      ],
    },
  ],
});
