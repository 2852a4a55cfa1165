/** Why a configuration file is refused as YAML, and how much of it there may be. */

/** What a configuration file may hold at most. */
export const YAML_LIMITS = {
  /** UTF-16 code units of the text. */
  textLengthMax: 4_194_304,
  /** Collections within each other. */
  depthMax: 32,
  /** Scalars and collections together: room for 10,000 rules. */
  nodesMax: 400_000,
  /** Problems told; what comes after the last one is left out. */
  problemsMax: 100,
} as const;

/** The codes of a refusal, beside those of the readers that come after. */
export const YAML_CODES = [
  /** The text is longer than `textLengthMax`. */
  'yaml_too_large',
  /** Nothing but blanks and comments. */
  'yaml_empty',
  /** Not YAML. */
  'yaml_syntax',
  /** More than one document in the file. */
  'yaml_second_document',
  /** A `%YAML` or `%TAG` line. */
  'yaml_directive',
  /** An anchor, an alias or a merge key. */
  'yaml_anchor',
  /** A tag such as `!!str`. */
  'yaml_tag',
  /** Nested deeper than `depthMax`. */
  'yaml_too_deep',
  /** More nodes than `nodesMax`. */
  'yaml_too_many_nodes',
  /** A key given twice in one mapping. */
  'duplicate_key',
  /** A key that is no scalar, or is empty. */
  'yaml_bad_key',
  /** A number that readers disagree about: `010`, `.inf`, `.nan`. */
  'yaml_bad_number',
  /** A control character, half a surrogate pair or a noncharacter in a value or a key. */
  'yaml_bad_character',
] as const;

/** A stable code of `YAML_CODES`. */
export type YamlCode = (typeof YAML_CODES)[number];
