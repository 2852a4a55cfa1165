/**
 * The closed set of values that the strict parser makes and the JCS writer takes.
 * Objects have no prototype, and everything is frozen.
 */

/** A JSON value as the strict parser gives it: deeply frozen, objects without a prototype. */
export type JsonValue = null | boolean | number | string | JsonArray | JsonObject;

/** A frozen array of JSON values. */
export type JsonArray = readonly JsonValue[];

/** A frozen object without a prototype. Read a member with `Object.hasOwn` or `in`: both are safe. */
export type JsonObject = { readonly [name: string]: JsonValue };
