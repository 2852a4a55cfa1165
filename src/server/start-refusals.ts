/** Why a layer does not start, in words for whoever started it. */
import type { Refused } from '../cli/server-door.ts';
import { StoreError } from '../engine/ports.ts';
import type { ServerConfiguration } from './configuration.ts';

/** The refusal that a store's error is; any other error is thrown on. */
export function storeRefusal(error: unknown, data: string): Refused {
  if (!(error instanceof StoreError)) throw error;
  const hint = STORE_HINTS[error.code];
  return {
    kind: 'refused',
    code: error.code,
    message: `the store in \`${data}\` cannot be opened: ${error.message}`,
    ...(hint === undefined ? {} : { hint }),
  };
}

const STORE_HINTS: Readonly<Partial<Record<StoreError['code'], string>>> = {
  store_locked:
    'one process owns a data directory: stop the other one, or use another with `--data`',
  store_foreign: 'point `data` at a directory of its own',
  store_newer: 'run the version that wrote it, or a newer one',
  store_full: 'make room on the disk',
  clock_jumped: 'set the clock right',
};

/** The refusal that an error is which binding or recovery ended with. */
export function listenRefusal(
  error: unknown,
  { listen: { host, port }, data }: ServerConfiguration,
): Refused {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (error instanceof StoreError) return storeRefusal(error, data);
  if (code === 'EADDRINUSE') {
    return {
      kind: 'refused',
      code: 'port_taken',
      message: `port ${String(port)} is taken`,
      hint: 'choose another with `--port`; `--port 0` takes any free one',
    };
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return {
      kind: 'refused',
      code: 'address_refused',
      message: `the system does not let it listen at \`${host}\` port ${String(port)} (${code})`,
      hint: 'choose another with `listen:` in the configuration, or `--port`',
    };
  }
  throw error;
}
