/**
 * Which addresses a target may be reached at. An address is judged by its bytes: whatever way it was
 * spelled, and whatever IPv4 address is wrapped in it, nothing but public unicast space is allowed
 * unless the target says so.
 */
import { isIP } from 'node:net';

import ipaddr from 'ipaddr.js';

import { refuse } from '../refusal.ts';

/** An address in its normal spelling, with the range of it that the target allows by name, if any. */
export interface CheckedAddress {
  readonly address: string;
  readonly family: 4 | 6;
  /** The target's `addressesAllowed` names it: the operator knows this network. */
  readonly allowedByName: boolean;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [Address, number];

/** Parses the ranges of a target; refuses what is not an address, a slash and a length. */
export function parseRanges(texts: readonly string[]): readonly Range[] {
  return texts.map((text) => {
    const [address = '', length = '', more] = text.split('/');
    const family = isIP(address);
    const bits = /^\d{1,3}$/u.test(length) ? Number(length) : 129;
    if (
      family === 0 ||
      address.includes('%') ||
      more !== undefined ||
      bits > (family === 4 ? 32 : 128)
    ) {
      return refuse('addresses_allowed_invalid', `\`${text}\` is not a range of addresses`);
    }
    return [parse(address), bits];
  });
}

/** The address, or nothing where it may not be reached. Anything but one plain spelling is refused. */
export function checkAddress(text: string, ranges: readonly Range[]): CheckedAddress | undefined {
  // `isIP` knows only four decimal parts; a zone names an interface of this machine.
  if (isIP(text) === 0 || text.includes('%')) return undefined;
  const parsed = parse(text);
  const inner = unwrapped(parsed);
  const allowedByName = ranges.some((range) => allows(range, parsed, inner));
  if (!allowedByName && !isPublic(inner)) return undefined;
  return { address: parsed.toString(), family: parsed.kind() === 'ipv4' ? 4 : 6, allowedByName };
}

/**
 * The bytes of an address that `isIP` knows. The library takes a dotted tail for a mapped address even
 * where it is none (`::8.8.8.8`); the URL parser writes it without one.
 */
function parse(text: string): Address {
  const plain = text.includes(':') ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
  return ipaddr.parse(plain);
}

/** Whether two spellings are the same address; a mapped IPv4 address is the one that it maps. */
export function isSameAddress(left: string, right: string): boolean {
  if (isIP(left) === 0 || isIP(right) === 0) return false;
  return mapped(parse(left)).toString() === mapped(parse(right)).toString();
}

/** Addresses at which clouds hand out credentials; a wide range in `addressesAllowed` does not mean them. */
const METADATA: readonly Range[] = [
  '169.254.169.254/32',
  '169.254.170.2/32',
  '169.254.170.23/32',
  '168.63.129.16/32',
  '100.100.100.200/32',
  '192.0.0.192/32',
  'fd00:ec2::254/128',
  'fd00:ec2::23/128',
  'fd20:ce::254/128',
].map((text) => ipaddr.parseCIDR(text));

/** A range is about an address as it is spelled and about the one that it leads to. */
function allows(range: Range, spelled: Address, inner: Address): boolean {
  const isSingle = range[1] === (range[0].kind() === 'ipv4' ? 32 : 128);
  const isMetadata = METADATA.some((metadata) => within(inner, metadata));
  return (isSingle || !isMetadata) && (within(spelled, range) || within(inner, range));
}

function within(address: Address, [network, bits]: Range): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}

function isPublic(address: Address): boolean {
  const special = [...METADATA, ...NOT_PUBLIC].some((range) => within(address, range));
  if (special || address.range() !== 'unicast') return false;
  // Of IPv6 only 2000::/3 is handed out as global unicast (RFC 4291 section 2.4).
  return address.kind() === 'ipv4' || within(address, GLOBAL_UNICAST);
}

const GLOBAL_UNICAST: Range = ipaddr.parseCIDR('2000::/3');

/** What the library counts as unicast and the registries of IANA do not call globally reachable. */
const NOT_PUBLIC: readonly Range[] = [
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '192.88.99.0/24',
].map((text) => ipaddr.parseCIDR(text));

/**
 * The IPv4 address that an IPv6 address leads to: mapped (RFC 4291 section 2.5.5.2) or translated
 * (RFC 6052, the well-known prefix). Other wrappings (6to4, Teredo, ISATAP, the local translation
 * prefix) are no public unicast and stay as they are.
 */
function unwrapped(address: Address): Address {
  const direct = mapped(address);
  if (direct.kind() === 'ipv4') return direct;
  const bytes = direct.toByteArray();
  if (within(direct, TRANSLATED)) return fromBytes(bytes.slice(12));
  // RFC 5214: an interface identifier of ISATAP holds the IPv4 address that packets go to.
  const [first = 0, ...rest] = bytes.slice(8, 12);
  const isIsatap = (first & 0xfd) === 0 && rest.join('.') === '0.94.254';
  return isIsatap ? UNSPECIFIED : direct;
}

const TRANSLATED: Range = ipaddr.parseCIDR('64:ff9b::/96');
const UNSPECIFIED: Address = ipaddr.parse('::');

function mapped(address: Address): Address {
  const bytes = address.toByteArray();
  const isMapped =
    bytes.length === 16 && bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255;
  return isMapped && bytes[11] === 255 ? fromBytes(bytes.slice(12)) : address;
}

function fromBytes(bytes: readonly number[]): Address {
  return ipaddr.fromByteArray([...bytes]);
}
