/**
 * Which addresses may be reached: by an executor on its way to a target, and to fetch a fact. An address
 * is judged by its bytes, whatever way it was spelled and whatever IPv4 address is wrapped in it: public
 * unicast space, and what inventory or policy allow by name. Whoever connects asks here first, and
 * connects to exactly the address that was judged.
 */

/** The 4 or 16 bytes of an address. */
export type AddressBytes = readonly number[];

/** A range of addresses. */
export interface AddressRange {
  readonly network: AddressBytes;
  readonly bits: number;
}

/** The longest spelling of an address: an IPv6 one that ends in the four parts of an IPv4 one. */
// mutant: what is longer is no address either way; the bound saves work.
const ADDRESS_LENGTH_MAX = 45;

// mutant: longer parts are no bytes, and are refused as such.
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/u;

/** The bytes of an address in its plain spelling, or `undefined`. No zone, no octal, no short forms. */
export function parseAddress(text: string): AddressBytes | undefined {
  // mutant: what is longer is no address either way; the bound saves work.
  if (text.length > ADDRESS_LENGTH_MAX) return undefined;
  if (IPV4.test(text)) {
    const bytes = text.split('.').map(Number);
    const canonical = bytes.join('.') === text && bytes.every((byte) => byte <= 255);
    return canonical ? bytes : undefined;
  }
  if (!/^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/u.test(text) || !URL.canParse(`http://[${text}]/`)) {
    return undefined;
  }
  // The URL parser writes hexadecimal groups only, with one run of zero groups left out.
  const normal = hostOf(text);
  // mutant: a split has a first part.
  const [head = '', tail] = normal.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]);
}

function groupsOf(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** The one spelling of an address; of IPv6 the shortest one, in hexadecimal groups only. */
export function formatAddress(address: AddressBytes): string {
  if (address.length === 4) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    // mutant: the address has sixteen bytes here.
    (((address[2 * index] ?? 0) << 8) | (address[2 * index + 1] ?? 0)).toString(16),
  );
  return hostOf(groups.join(':'));
}

/** As the URL standard writes the IPv6 address. */
function hostOf(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

/** Whether two spellings are one address; a mapped IPv4 address is the one that it maps. */
export function isSameAddress(left: string, right: string): boolean {
  const [from, to] = [parseAddress(left), parseAddress(right)];
  if (from === undefined || to === undefined) return false;
  return formatAddress(withoutMapping(from)) === formatAddress(withoutMapping(to));
}

function withoutMapping(address: AddressBytes): AddressBytes {
  return within(address, MAPPED) ? address.slice(12) : address;
}

/** A range such as `10.0.0.0/8`, or `undefined`. */
export function parseAddressRange(text: string): AddressRange | undefined {
  // mutant: a split has a first part; a length that is missing is none, whatever stands for it.
  const [address = '', length = '', more] = text.split('/');
  const network = parseAddress(address);
  if (network === undefined || more !== undefined || !/^\d{1,3}$/u.test(length)) return undefined;
  const bits = Number(length);
  return bits <= network.length * 8 ? { network, bits } : undefined;
}

/** How an address may be reached: by anybody, only because a range names it, or not at all. */
export type Reach = 'public' | 'named' | 'refused';

/** Judges an address; a range that names it wins, except that a wide one does not mean metadata services. */
export function reachOf(address: AddressBytes, allowed: readonly AddressRange[]): Reach {
  const inner = unwrapped(address);
  if (allowed.some((each) => names(each, address) || names(each, inner))) return 'named';
  return isPublic(inner) ? 'public' : 'refused';
}

function names(named: AddressRange, address: AddressBytes): boolean {
  const single = named.bits === named.network.length * 8;
  return (
    within(address, named) && (single || !METADATA.some((one) => within(unwrapped(address), one)))
  );
}

function within(address: AddressBytes, { network, bits }: AddressRange): boolean {
  if (address.length !== network.length) return false;
  return address.every((byte, index) => {
    const kept = Math.min(8, Math.max(0, bits - index * 8));
    const mask = (0xff << (8 - kept)) & 0xff;
    // mutant: both have as many bytes.
    return (byte & mask) === ((network[index] ?? 0) & mask);
  });
}

/** The IPv4 address that an IPv6 one leads to: mapped (RFC 4291 section 2.5.5.2) or translated (RFC 6052). */
function unwrapped(address: AddressBytes): AddressBytes {
  return WRAPPERS.some((wrapper) => within(address, wrapper)) ? address.slice(12) : address;
}

function isPublic(address: AddressBytes): boolean {
  if (address.length === 4) return !NOT_PUBLIC.some((special) => within(address, special));
  // RFC 4291 section 2.4: only 2000::/3 is handed out as global unicast.
  if (!within(address, GLOBAL_UNICAST)) return false;
  // RFC 5214: packets to such an interface go to the IPv4 address within it.
  // mutant: the address has sixteen bytes here, and four of them are taken.
  const [first = 0, second, third, fourth] = address.slice(8, 12);
  const isIsatap = (first & 0xfd) === 0 && second === 0 && third === 0x5e && fourth === 0xfe;
  return !isIsatap && !NOT_PUBLIC.some((special) => within(address, special));
}

function range(text: string): AddressRange {
  const parsed = parseAddressRange(text);
  // mutant: every range of this file is one.
  if (parsed === undefined) throw new RangeError(`not a range: \`${text}\``);
  return parsed;
}

const MAPPED = range('::ffff:0:0/96');
const WRAPPERS = [MAPPED, range('64:ff9b::/96')];
const GLOBAL_UNICAST = range('2000::/3');

/** Where clouds hand out credentials. */
const METADATA = [
  '169.254.169.254/32',
  '169.254.170.2/32',
  '169.254.170.23/32',
  '168.63.129.16/32',
  '100.100.100.200/32',
  '192.0.0.192/32',
  'fd00:ec2::254/128',
  'fd00:ec2::23/128',
  'fd20:ce::254/128',
].map(range);

/**
 * What the registries of IANA for special-purpose addresses do not call globally reachable, and what
 * they hand out for AS112 and AMT relays, where no system of anybody's stands.
 */
const NOT_PUBLIC = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '2620:4f:8000::/48',
  '3fff::/20',
].map(range);
