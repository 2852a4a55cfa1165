/** What an expression may cost, checked when it is loaded so that no evaluation can run long. */
export const EXPRESSION_LIMITS = {
  /** Characters of the source. */
  sourceLengthMax: 4096,
  /** Nodes of the parsed tree. */
  nodesMax: 400,
  /** Nesting of parentheses, calls, lists and members. */
  depthMax: 32,
  /** Items of a list written in an expression. */
  listLiteralMax: 200,
  /** Arguments of a call. */
  callArgumentsMax: 4,
  /** `all`, `exists`, `filter`, ... inside each other. */
  comprehensionsNestedMax: 2,
  /** Steps that an evaluation can take at most, from the declared lengths of lists. */
  costMax: 100_000,
  /** Characters of a pattern for `matches`, and states of the machine made from it. */
  patternLengthMax: 500,
  patternStatesMax: 2000,
} as const;

/** Items of a list whose length nothing declares, in a preview or a fact; a longer one is an error. */
export const UNDECLARED_LIST_ITEMS_MAX = 1000;
