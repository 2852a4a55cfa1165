/**
 * The first look at a request: is it for us? A page that a name server points at this machine (DNS
 * rebinding) sends its own host's name, and a page of another origin sends that origin.
 */
import { ApiProblem } from './api-problem.ts';

/** Names that loopback is reached by; the layer on loopback takes no other. */
export const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** Takes a request for any host: only behind a proxy that checks it. */
export const ANY_HOST = 'any_host';

/** Host names without ports, lower case, that requests may be for. */
export type HostsAllowed = readonly string[] | typeof ANY_HOST;

const HOST = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253}?)\.?(?::(\d{1,5}))?$/u;

/** Refuses what is for another host or comes from another origin. Throws {@link ApiProblem}. */
export function checkDoor(headers: Headers, hostsAllowed: HostsAllowed): void {
  const host = headers.get('host')?.toLowerCase() ?? '';
  const name = HOST.exec(host)?.[1];
  if (name === undefined || (hostsAllowed !== ANY_HOST && !hostsAllowed.includes(name))) {
    throw new ApiProblem('host_not_allowed');
  }
  const origin = headers.get('origin');
  if (origin === null) return;
  const from = origin.toLowerCase();
  if (from !== `http://${host}` && from !== `https://${host}`) {
    throw new ApiProblem('origin_not_allowed');
  }
}
