/**
 * The one type that `@hono/node-server` takes from `hono/ws`. Hono's own declarations of it need the
 * browser's library, which this project does not load; `paths` in tsconfig.json leads here instead.
 */
export type UpgradeWebSocket<_Socket = unknown, _Options = unknown, _Events = unknown> = never;
