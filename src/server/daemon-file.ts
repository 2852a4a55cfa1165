/** What a running layer leaves in its data directory, so that the command finds it. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DAEMON_FILE, readDaemonFile } from '../cli/find-daemon.ts';
import { writePrivately } from './private-files.ts';

/** Says where this process answers. A file that a crash left behind is replaced: the store's lock says who is alive. */
export function writeDaemonFile(data: string, url: string): void {
  const file = { url, pid: process.pid, started: new Date().toISOString() };
  writePrivately(join(data, DAEMON_FILE), `${JSON.stringify(file)}\n`);
}

/** Takes it away again, if it is this process's. */
export function removeDaemonFile(data: string): void {
  const path = join(data, DAEMON_FILE);
  if (readDaemonFile(path)?.pid === process.pid) rmSync(path, { force: true });
}
