/** A parsed expression as our own small tree; `start` and `end` are offsets into the source. */
import type { Decimal } from '../decimal.ts';

/** The operators that compare. */
export type Comparison = '<' | '<=' | '>' | '>=' | '==' | '!=';

/** The operators with two operands and no short cut. */
export type BinaryOperator = Comparison | '+' | '-' | '*' | '/' | '%' | 'in';

/** One node. A number with a decimal point is a decimal, exactly as written. */
export type Term = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'literal'; readonly value: boolean | bigint | string | Decimal | null }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'member'; readonly of: Term; readonly name: string }
  | { readonly kind: 'index'; readonly of: Term; readonly index: Term }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly receiver: Term | undefined;
      readonly args: readonly Term[];
    }
  | { readonly kind: 'list'; readonly items: readonly Term[] }
  | {
      readonly kind: 'choice';
      readonly condition: Term;
      readonly whenTrue: Term;
      readonly whenFalse: Term;
    }
  | {
      readonly kind: 'logic';
      readonly operator: '&&' | '||';
      readonly left: Term;
      readonly right: Term;
    }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Term;
      readonly right: Term;
    }
  | { readonly kind: 'not' | 'minus'; readonly of: Term }
);
