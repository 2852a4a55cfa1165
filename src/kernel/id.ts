/**
 * Names and ids as branded strings. Only the parsers here make them, so no raw string stands for one
 * anywhere inside.
 */
import type { Branded } from './brand.ts';

/** A tenant's name: its own policies, inventory, people and ledger. */
export type TenantName = Branded<string, 'TenantName'>;
/** The UUIDv7 of an action, lower case with hyphens. */
export type ActionId = Branded<string, 'ActionId'>;
/** The UUIDv7 of the one try that a crossing allows. */
export type ExecutionId = Branded<string, 'ExecutionId'>;
/** The UUIDv7 of an approval, a confirmation or a rejection. */
export type ApprovalId = Branded<string, 'ApprovalId'>;
/** The UUIDv7 of a halt. */
export type HaltId = Branded<string, 'HaltId'>;
/** The name of an agent, unique in its tenant. */
export type AgentName = Branded<string, 'AgentName'>;
/** The name of a person, unique in its tenant. */
export type PersonName = Branded<string, 'PersonName'>;

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/u;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u;

/** The pattern of every name a person gives: 1 to 64 of a-z, 0-9, dot, underscore, hyphen. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** A tenant's name, or `undefined` where the text is not a name. */
export function parseTenantName(text: string): TenantName | undefined {
  return isName(text) ? (text as TenantName) : undefined;
}

/** An agent's name, or `undefined` where the text is not a name. */
export function parseAgentName(text: string): AgentName | undefined {
  return isName(text) ? (text as AgentName) : undefined;
}

/** A person's name, or `undefined` where the text is not a name. */
export function parsePersonName(text: string): PersonName | undefined {
  return isName(text) ? (text as PersonName) : undefined;
}

/** An action's id in its one accepted spelling, or `undefined`. */
export function parseActionId(text: string): ActionId | undefined {
  return UUID_V7.test(text) ? (text as ActionId) : undefined;
}

/** An execution's id in its one accepted spelling, or `undefined`. */
export function parseExecutionId(text: string): ExecutionId | undefined {
  return UUID_V7.test(text) ? (text as ExecutionId) : undefined;
}

/** An approval's id in its one accepted spelling, or `undefined`. */
export function parseApprovalId(text: string): ApprovalId | undefined {
  return UUID_V7.test(text) ? (text as ApprovalId) : undefined;
}

/** A halt's id in its one accepted spelling, or `undefined`. */
export function parseHaltId(text: string): HaltId | undefined {
  return UUID_V7.test(text) ? (text as HaltId) : undefined;
}

/**
 * A UUIDv7 (RFC 9562 section 5.7) from an instant and ten random bytes.
 *
 * @param instantMs milliseconds since 1970, below 2^48
 * @param random ten bytes; six of their bits give way to version and variant
 */
export function uuidV7(instantMs: number, random: Uint8Array): string {
  if (random.length < 10) throw new RangeError('a UUIDv7 needs ten random bytes');
  const time = instantMs.toString(16).padStart(12, '0');
  const hex: string[] = [];
  for (let index = 0; index < 10; index++) {
    // mutant: there are ten bytes.
    let byte = random[index] ?? 0;
    if (index === 0) byte = (byte & 0x0f) | 0x70;
    if (index === 2) byte = (byte & 0x3f) | 0x80;
    hex.push(byte.toString(16).padStart(2, '0'));
  }
  const tail = hex.join('');
  return `${time.slice(0, 8)}-${time.slice(8)}-${tail.slice(0, 4)}-${tail.slice(4, 8)}-${tail.slice(8)}`;
}
