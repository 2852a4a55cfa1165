import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isKind, isRead, KINDS } from './kind.ts';

test('every kind has its measures, and rules can rely on no other', () => {
  assert.deepEqual(KINDS, {
    'code.execute': { artifact: 'string' },
    'api.call': {},
    'infra.create': { adds: 'integer', changes: 'integer', destroys: 'integer' },
    'infra.change': { adds: 'integer', changes: 'integer', destroys: 'integer' },
    'data.delete': { rows: 'integer' },
    'data.write': { rows: 'integer' },
    'data.read': { rows: 'integer' },
    'money.transfer': { amount: 'decimal', currency: 'string', payee: 'string' },
    'access.grant': { role: 'string', subject: 'string' },
    'device.control': { command: 'string', setpoint: 'decimal' },
    'contract.commit': { amount: 'decimal', currency: 'string', counterparty: 'string' },
    'message.send': { recipients: 'integer' },
    'control.change': { subject: 'string' },
  });
});

test('a kind is named, not inherited, and only one of them reads', () => {
  assert.ok(isKind('money.transfer'));
  assert.ok(!isKind('toString'));
  assert.ok(!isKind('money'));
  assert.ok(isRead('data.read'));
  assert.ok(!isRead('data.write'));
});
