/**
 * The kinds of consequence and the typed measures that each one fixes (DESIGN section 2). Rules by
 * kind use only these measures.
 */

/** The type of a measure; `decimal` is exact, `integer` is a bigint. */
export type MeasureType = 'string' | 'integer' | 'decimal';

/** Every kind with its measures. An operation maps measures; one it does not map is absent, and using it is an error. */
export const KINDS = {
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
} as const;

// Holds the table to its types without hiding its names.
KINDS satisfies Readonly<Record<string, Readonly<Record<string, MeasureType>>>>;

/** The consequence of an operation. */
export type Kind = keyof typeof KINDS;

/** Whether the text names a kind. */
export function isKind(text: string): text is Kind {
  return Object.hasOwn(KINDS, text);
}

/** Whether actions of this kind only read: they have no effect key. */
export function isRead(kind: Kind): boolean {
  return kind === 'data.read';
}
