/**
 * Process groups: who is in one, how much memory they hold, and how all of it is ended.
 *
 * A program that starts another one in a session of its own (`setsid`, a daemon) takes that one out of
 * the group, and nothing here reaches it. Only a container or a control group around the layer does.
 */
import { readdir, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';

import type { Clock } from '../../engine/ports.ts';

/** How long a group has between the request to end and the end. */
const GROUP_GRACE_MS = 2000;
/** How long the kernel has to take an ended group away before it counts as still running. */
const GROUP_GONE_MS_MAX = 5000;
const POLL_MS = 20;
const READ_AT_ONCE = 64;

/** Whether this system shows its processes under `/proc`, which memory limits need. */
export function canMeasureMemory(): boolean {
  return existsSync('/proc/self/status') && existsSync('/proc/self/stat');
}

/** Live members of a group that `detached` made, whose session has the same number. */
async function membersOf(group: number): Promise<readonly string[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name));
  const members: string[] = [];
  for (let at = 0; at < processes.length; at += READ_AT_ONCE) {
    const some = processes.slice(at, at + READ_AT_ONCE);
    const belong = await Promise.all(some.map((process) => belongsTo(process, group)));
    members.push(...some.filter((_, index) => belong[index]));
  }
  return members;
}

async function belongsTo(process: string, group: number): Promise<boolean> {
  const status = await readText(`/proc/${process}/stat`);
  // The command's name stands in parentheses and may hold anything, parentheses too.
  const [state, , processGroup, session] = status.slice(status.lastIndexOf(')') + 2).split(' ');
  // A zombie does nothing any more; it only waits for a parent that may never ask.
  const live = state !== 'Z' && state !== 'X' && state !== undefined;
  return live && Number(processGroup) === group && Number(session) === group;
}

/** The memory that a group's members hold, in bytes; shared pages count once for each. */
export async function groupMemoryBytes(group: number): Promise<number> {
  let total = 0;
  for (const process of await membersOf(group)) {
    const status = await readText(`/proc/${process}/status`);
    total += Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1] ?? 0) * 1024;
  }
  return total;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    // The process ended between the listing and the reading: it is no member any more.
    return '';
  }
}

/** Whether anything of the group still runs. */
async function groupLives(group: number): Promise<boolean> {
  if (!signalGroup(group, 0)) return false;
  return canMeasureMemory() ? (await membersOf(group)).length > 0 : true;
}

/** Whether the group was gone after at most `ms`. */
export async function groupGoneWithin(group: number, ms: number, clock: Clock): Promise<boolean> {
  const until = clock.monotonicMs() + ms;
  while (await groupLives(group)) {
    if (clock.monotonicMs() >= until) return false;
    await clock.sleep(POLL_MS);
  }
  return true;
}

/** Asks a group to end, ends it after {@link GROUP_GRACE_MS}, and says whether nothing of it is left. */
export async function endGroup(group: number, clock: Clock): Promise<boolean> {
  signalGroup(group, 'SIGTERM');
  if (await groupGoneWithin(group, GROUP_GRACE_MS, clock)) return true;
  signalGroup(group, 'SIGKILL');
  return await groupGoneWithin(group, GROUP_GONE_MS_MAX, clock);
}

/** Whether there was such a group. What may not be signalled exists. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
