/** The directory and the epochs: who exists, whose keys work, who is one person, what is active. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SourceText } from '../../src/engine/ports.ts';
import {
  agentName,
  digestOfText,
  keyHash,
  personName,
  tenantName,
  writtenRecord,
} from './boundary.ts';
import type { WithStore } from './store.ts';

export function directoryContract(withStore: WithStore): void {
  describe('directory', () => {
    test(
      'a key names its holder and its delegator until the account is revoked, also after a restart',
      withStore(async ({ boundary, reopen }) => {
        const dana = personName('mei');
        assert.equal(
          (
            await boundary.enrol('agent', 'bot', {
              owners: [personName('olga')],
              delegator: dana,
              key: 'delegated',
            })
          ).kind,
          'written',
        );
        const again = await reopen();
        const { store, boundary: now } = again;
        assert.deepEqual(await store.holder(keyHash('delegated')), {
          tenant: boundary.tenant,
          kind: 'agent',
          name: 'bot',
          delegator: dana,
        });
        const own = await store.holder(keyHash(`${boundary.tenant} agent bot`));
        assert.deepEqual(own, {
          tenant: boundary.tenant,
          kind: 'agent',
          name: 'bot',
          delegator: undefined,
        });
        assert.equal(await store.holder(keyHash('Delegated')), undefined);
        await store.direct(
          boundary.tenant,
          { kind: 'revoke', account: 'agent', name: 'bot' },
          now.entry('directory'),
        );
        assert.equal(await store.holder(keyHash('delegated')), undefined);
        assert.equal(await store.holder(keyHash(`${boundary.tenant} agent bot`)), undefined);
        const revoked = (await store.accounts(boundary.tenant)).find(({ name }) => name === 'bot');
        assert.equal(revoked?.live, false);
        assert.notEqual(revoked.revokedAt, undefined);
        assert.equal((await now.proposed()).state, 'denied');
      }),
    );

    test(
      'an executor is an account of its own kind, and whether it is live is a local fact where it is asked',
      withStore(async ({ boundary, reopen }) => {
        await boundary.enrol('executor', 'cell', { key: 'cell' });
        // The same name as another kind of account is another account.
        await boundary.enrol('person', 'cell', { key: 'somebody' });
        const { store, boundary: now } = await reopen();
        const { tenant } = now;
        const { query } = now.proposal();
        const asked = async (executor: string): Promise<unknown> =>
          (await store.look({ ...query, executor })).local.executor;
        assert.equal((await store.holder(keyHash('cell')))?.kind, 'executor');
        assert.deepEqual(await asked('cell'), { name: 'cell', live: true });
        assert.deepEqual(await asked('press'), { name: 'press', live: false });
        assert.deepEqual(await asked('mei'), { name: 'mei', live: false });
        assert.equal('executor' in (await store.look(query)).local, false);
        const nobody = { ...query, tenant: tenantName('nobody'), executor: 'cell' };
        assert.deepEqual((await store.look(nobody)).local.executor, { name: 'cell', live: false });
        const command = now.proposal();
        let seen: unknown;
        await store.advance({
          ...command,
          query: { ...command.query, executor: 'cell' },
          judge: (at, local) => {
            seen = local.executor;
            return command.judge(at, local);
          },
        });
        assert.deepEqual(seen, { name: 'cell', live: true });
        await store.direct(
          tenant,
          { kind: 'revoke', account: 'executor', name: 'cell' },
          now.entry('directory'),
        );
        assert.deepEqual(await asked('cell'), { name: 'cell', live: false });
        assert.equal(await store.holder(keyHash('cell')), undefined);
        assert.equal((await store.holder(keyHash('somebody')))?.kind, 'person');
      }),
    );

    test(
      'a delegation lives as long as its key and its person',
      withStore(async ({ boundary }) => {
        const { store, tenant } = boundary;
        const mei = personName('mei');
        const before = await boundary.proposed({ delegator: mei });
        assert.equal(before.decision?.findings[0]?.code, 'delegation_revoked');
        await boundary.enrol('agent', 'bot', {
          owners: [personName('olga')],
          delegator: mei,
          key: 'k2',
        });
        const during = await boundary.proposed({ delegator: mei });
        assert.equal(during.state, 'executing');
        assert.equal(during.delegator, 'mei');
        const local = await boundary.look(during);
        assert.equal(local.agent?.delegationLive, true);
        assert.equal(local.people['mei']?.live, true);
        await store.direct(
          tenant,
          { kind: 'revoke', account: 'person', name: 'mei' },
          boundary.entry('directory'),
        );
        assert.equal((await boundary.look(during)).agent?.delegationLive, false);
        assert.equal((await boundary.proposed({ delegator: mei })).state, 'denied');
        assert.equal((await boundary.proposed()).state, 'executing');
      }),
    );

    test(
      'a new key works beside the old one until one of them is revoked, and a list shows neither',
      withStore(async ({ boundary, reopen, clock }) => {
        const { store, tenant } = boundary;
        const account = { kind: 'agent', name: 'bot' } as const;
        const [first] = (await store.keys(tenant, account)) ?? [];
        assert.ok(first !== undefined);
        const add = {
          kind: 'add-key',
          account: 'agent',
          name: 'bot',
          keyId: 'feedbeef',
          keyHash: keyHash('second'),
          delegator: undefined,
        } as const;
        const entry = boundary.entry('directory');
        assert.equal((await store.direct(tenant, add, entry)).kind, 'written');
        const old = keyHash(`${tenant} agent bot`);
        for (const key of [old, keyHash('second')]) {
          assert.equal((await store.holder(key))?.name, 'bot');
        }
        clock.pass(1000);
        await store.holder(keyHash('second'));
        const during = (await store.keys(tenant, account)) ?? [];
        assert.deepEqual(
          during.map(({ id }) => id),
          [first.id, 'feedbeef'],
        );
        assert.ok((during[1]?.usedAt ?? 0) > (during[0]?.usedAt ?? 0));
        assert.ok(!JSON.stringify(during).includes(keyHash('second').slice(0, 8)));
        const revoke = {
          kind: 'revoke-key',
          account: 'agent',
          name: 'bot',
          keyId: first.id,
        } as const;
        assert.equal((await store.direct(tenant, revoke, entry)).kind, 'written');
        const { store: now } = await reopen();
        assert.equal(await now.holder(old), undefined);
        assert.equal((await now.holder(keyHash('second')))?.name, 'bot');
        const after = (await now.keys(tenant, account)) ?? [];
        assert.deepEqual(
          after.map(({ revokedAt }) => revokedAt === undefined),
          [false, true],
        );
        const again = await now.direct(tenant, { ...add, keyHash: old, keyId: '00000001' }, entry);
        assert.deepEqual(again.kind === 'refused' && again.code, 'key_in_use');
        const twice = await now.direct(tenant, revoke, entry);
        assert.deepEqual(twice.kind === 'refused' && twice.code, 'key_unknown');
      }),
    );

    test(
      'a key is revoked only under its own account, and a key of nobody is none',
      withStore(async ({ boundary, other }) => {
        const { store, tenant } = boundary;
        const [key] = (await store.keys(tenant, { kind: 'agent', name: 'bot' })) ?? [];
        assert.ok(key !== undefined);
        const entry = boundary.entry('directory');
        for (const [asker, account, name, code] of [
          [tenant, 'person', 'mei', 'key_unknown'],
          [tenant, 'agent', 'nobody', 'account_unknown'],
          [other.tenant, 'person', 'mei', 'key_unknown'],
        ] as const) {
          const change = { kind: 'revoke-key', account, name, keyId: key.id } as const;
          const result = await store.direct(asker, change, entry);
          assert.deepEqual(result.kind === 'refused' && result.code, code);
        }
        assert.equal((await store.holder(keyHash(`${tenant} agent bot`)))?.name, 'bot');
        assert.equal(await store.keys(tenant, { kind: 'agent', name: 'nobody' }), undefined);
      }),
    );

    test(
      'a delegation ends with the last key that proved it',
      withStore(async ({ boundary }) => {
        const { store, tenant } = boundary;
        const entry = boundary.entry('directory');
        const mei = personName('mei');
        const add = {
          kind: 'add-key',
          account: 'agent',
          name: 'bot',
          keyId: 'feedbeef',
          keyHash: keyHash('for mei'),
          delegator: mei,
        } as const;
        await store.direct(tenant, add, entry);
        const during = await boundary.proposed({ delegator: mei });
        assert.equal((await boundary.look(during)).agent?.delegationLive, true);
        const revoke = {
          kind: 'revoke-key',
          account: 'agent',
          name: 'bot',
          keyId: 'feedbeef',
        } as const;
        await store.direct(tenant, revoke, entry);
        assert.equal((await boundary.look(during)).agent?.delegationLive, false);
      }),
    );

    test(
      'changed roles count from the next crossing on',
      withStore(async ({ boundary }) => {
        const held = await boundary.proposed({ operation: 'sign' });
        const answered = writtenRecord(await boundary.approve(held, personName('mei')));
        await boundary.store.direct(
          boundary.tenant,
          { kind: 'roles', account: 'person', name: 'mei', roles: [] },
          boundary.entry('directory'),
        );
        const advanced = writtenRecord(await boundary.advance(answered));
        assert.equal(advanced.state, 'held');
        assert.deepEqual((await boundary.look(advanced)).people['mei'], {
          live: true,
          roles: [],
          aliases: [],
        });
      }),
    );

    test(
      'whoever is connected by aliases is among the people of an action, however far and in either direction',
      withStore(async ({ boundary }) => {
        await boundary.enrol('person', 'olga-admin', { aliases: [personName('olga')] });
        await boundary.enrol('person', 'olga-night', { aliases: [personName('olga-admin')] });
        await boundary.enrol('person', 'stranger', { aliases: [personName('nobody')] });
        const { people } = await boundary.look(await boundary.proposed());
        assert.deepEqual(Object.keys(people).sort(), ['olga', 'olga-admin', 'olga-night']);
      }),
    );

    test(
      'enrolments that would change an account or share a key are refused by name',
      withStore(async ({ boundary, other }) => {
        const refusals = [
          ['account_exists', await boundary.enrol('person', 'mei', { key: 'n1' })],
          ['key_in_use', await boundary.enrol('person', 'new', { key: 'acme person mei' })],
          ['key_in_use', await other.enrol('person', 'new', { key: 'acme person mei' })],
          [
            'delegator_unknown',
            await boundary.enrol('agent', 'new', { delegator: personName('who'), key: 'n2' }),
          ],
          [
            'delegator_not_allowed',
            await boundary.enrol('person', 'new', { delegator: personName('mei'), key: 'n3' }),
          ],
        ] as const;
        for (const [code, refused] of refusals) assert.equal(refused.code, code);
        const added = await boundary.enrol('person', 'mei', { roles: ['lead', 'lead'], key: 'n4' });
        assert.equal(added.kind, 'written');
        assert.equal((await boundary.enrol('agent', 'mei', { key: 'n5' })).kind, 'written');
      }),
    );

    test(
      'changes of accounts that are not there or are revoked are refused, and a name is never given again',
      withStore(async ({ boundary }) => {
        const { store, tenant } = boundary;
        const change = async (kind: 'revoke' | 'roles', name: string): Promise<string> => {
          const asked =
            kind === 'revoke'
              ? ({ kind, account: 'person', name } as const)
              : ({ kind, account: 'person', name, roles: [] } as const);
          const result = await store.direct(tenant, asked, boundary.entry('directory'));
          return result.kind === 'refused' ? result.code : result.kind;
        };
        assert.equal(await change('revoke', 'nobody'), 'account_unknown');
        assert.equal(await change('roles', 'bot'), 'account_unknown');
        assert.equal(await change('revoke', 'mei'), 'written');
        assert.equal(await change('revoke', 'mei'), 'account_revoked');
        assert.equal(await change('roles', 'mei'), 'account_revoked');
        const again = await boundary.enrol('person', 'mei', { roles: ['lead'], key: 'n1' });
        assert.equal(again.code, 'account_revoked');
        const reused = await boundary.enrol('person', 'mina', { key: 'acme person mei' });
        assert.equal(reused.code, 'key_in_use');
      }),
    );

    test(
      'a refused change leaves no entry, a written one leaves one',
      withStore(async ({ boundary, store }) => {
        const before = (await store.ledger(boundary.tenant, 0, 1000)).length;
        await boundary.enrol('person', 'mei', { key: 'n1' });
        assert.equal((await store.ledger(boundary.tenant, 0, 1000)).length, before);
        await boundary.enrol('person', 'nina');
        assert.equal((await store.ledger(boundary.tenant, 0, 1000)).length, before + 1);
      }),
    );

    test(
      'a new epoch counts up, wakes every hold and is what the next crossing sees; the standing one is answered again',
      withStore(async ({ boundary, other, store, reopen }) => {
        const { tenant } = boundary;
        const held = await boundary.proposed({ operation: 'sign' });
        const entry = boundary.entry('epoch');
        const before = (await store.ledger(tenant, 0, 1000)).length;
        const first = await store.activate(tenant, digestOfText('one'), entry);
        const again = await store.activate(tenant, digestOfText('one'), entry);
        assert.equal(first.number, 1);
        assert.deepEqual(again, first);
        assert.equal((await store.ledger(tenant, 0, 1000)).length, before + 1);
        assert.deepEqual(await boundary.due(), [held.id]);
        assert.equal((await store.activate(tenant, digestOfText('two'), entry)).number, 2);
        assert.equal((await store.activate(other.tenant, digestOfText('two'), entry)).number, 1);
        const reopened = await reopen();
        const third = await reopened.store.activate(tenant, digestOfText('one'), entry);
        assert.equal(third.number, 3);
        assert.equal((await reopened.boundary.look(held)).epoch, 3);
      }),
    );

    test(
      'an epoch’s entry and documents are found again; a document that epochs share is there once',
      withStore(async ({ boundary, other, store, reopen }) => {
        const { tenant } = boundary;
        const entry = boundary.entry('epoch');
        const [shared, old, young] = [sourceOf('shared'), sourceOf('old'), sourceOf('young')];
        await store.activate(tenant, digestOfText('one'), entry, [shared, old]);
        await store.activate(tenant, digestOfText('two'), entry, [shared, young]);
        // What stands is answered, and nothing is kept for it.
        await store.activate(tenant, digestOfText('two'), entry, [sourceOf('never')]);
        const { store: again } = await reopen();
        const rows = await again.ledger(tenant, 0, 1000);
        const [second, first] = rows.toReversed();
        assert.deepEqual(await again.epochEntry(tenant, 1), first);
        assert.deepEqual(await again.epochEntry(tenant, 2), second);
        assert.equal(await again.epochEntry(tenant, 3), undefined);
        assert.equal(await again.epochEntry(other.tenant, 1), undefined);
        for (const { digest, bytes } of [shared, old, young]) {
          assert.deepEqual(await again.source(tenant, digest), bytes);
          assert.equal(await again.source(other.tenant, digest), undefined);
        }
        assert.equal(await again.source(tenant, digestOfText('never')), undefined);
      }),
    );

    test(
      'one tenant’s names, keys, halts and actions are nothing to another',
      withStore(async ({ boundary, other, store }) => {
        const record = await boundary.proposed({ key: 'mine' });
        const stranger = other.tenant;
        assert.equal(await store.action(stranger, record.id), undefined);
        assert.equal(await store.proposed(stranger, agentName('bot'), 'mine'), undefined);
        assert.deepEqual(await store.actions({ tenant: stranger, count: 10 }), []);
        assert.deepEqual(await store.executing(stranger), []);
        assert.deepEqual(await store.approvals(stranger, record.id), []);
        const refused = await store.change({
          tenant: stranger,
          action: record.id,
          judge: () => assert.fail('nothing to judge'),
        });
        assert.ok(refused.kind === 'refused');
        assert.equal(refused.code, 'action_unknown');
        const { propose: _mine, ...command } = boundary.proposal();
        await assert.rejects(
          store.advance({
            ...command,
            query: { ...command.query, tenant: stranger, action: record.id },
          }),
        );
        const [mine, theirs] = await Promise.all([
          store.ledger(boundary.tenant, 0, 1000),
          store.ledger(stranger, 0, 1000),
        ]);
        assert.equal(mine.length, theirs.length + 2);
        assert.equal((await store.holder(keyHash('globex agent bot')))?.tenant, stranger);
      }),
    );
  });
}

function sourceOf(text: string): SourceText {
  return { digest: digestOfText(text), bytes: new TextEncoder().encode(text) };
}
