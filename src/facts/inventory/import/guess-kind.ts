/**
 * The consequence of a request as far as its method and its words tell. A guess, and marked as one:
 * only a person knows what a system does.
 */
import type { HttpOperation } from '../../../kernel/inventory.ts';
import type { Kind } from '../../../kernel/kind.ts';
import { wordsOf } from './names.ts';

/** A guess with its reason, as a comment says it. */
export interface GuessedKind {
  readonly kind: Kind;
  readonly reason: string;
}

/** In order of weight: what moves money matters more than that it is a message about it. */
const WORDS: readonly (readonly [Kind, ReadonlySet<string>])[] = [
  [
    'money.transfer',
    new Set([
      'refund',
      'payment',
      'payout',
      'transfer',
      'charge',
      'withdrawal',
      'disbursement',
      'pay',
    ]),
  ],
  [
    'access.grant',
    new Set([
      'user',
      'role',
      'permission',
      'grant',
      'member',
      'membership',
      'invite',
      'invitation',
      'acl',
    ]),
  ],
  ['code.execute', new Set(['deploy', 'deployment', 'release', 'rollout', 'execute', 'run'])],
  ['message.send', new Set(['message', 'email', 'mail', 'sms', 'notification'])],
];

/** Guesses from the method first, for reads and deletions, else from the words of the name and the path. */
export function guessKind(method: HttpOperation['method'], texts: readonly string[]): GuessedKind {
  if (method === 'GET') return { kind: 'data.read', reason: 'GET reads' };
  if (method === 'DELETE') return { kind: 'data.delete', reason: 'DELETE deletes' };
  const words = texts.flatMap(wordsOf);
  for (const [kind, known] of WORDS) {
    const word = words.find((each) => known.has(each) || known.has(singular(each)));
    if (word !== undefined) return { kind, reason: `${method}, and it says \`${word}\`` };
  }
  return { kind: 'api.call', reason: `${method}, and no word of it says more` };
}

function singular(word: string): string {
  return word.endsWith('s') ? word.slice(0, -1) : word;
}

/** What a person should declare for a kind, so that rules can use it. */
export const MEASURES_HINT: Readonly<Partial<Record<Kind, string>>> = {
  'money.transfer': 'measures: { amount: args.…, payee: args.… }',
  'access.grant': 'measures: { role: args.…, subject: args.… }',
  'code.execute': 'measures: { artifact: args.… }',
  'data.delete': 'measures: { rows: 1 }',
};
