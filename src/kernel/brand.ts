/** Nominal types: a branded value can be made only by the parser that casts to it. */
declare const brand: unique symbol;

/** `Type`, told apart from every other use of it by `Name`. */
export type Branded<Type, Name extends string> = Type & { readonly [brand]: Name };
