/**
 * Which addresses a target may be reached at, in the words of this executor. What is judged and how is
 * in `src/kernel/address.ts`: nothing but public unicast space, unless the target says so.
 */
import {
  formatAddress,
  parseAddress,
  parseAddressRange,
  reachOf,
  type AddressRange,
} from '../../kernel/address.ts';
import { refuse } from '../refusal.ts';

/** An address in its normal spelling, with the range of it that the target allows by name, if any. */
export interface CheckedAddress {
  readonly address: string;
  readonly family: 4 | 6;
  /** The target's `addressesAllowed` names it: the operator knows this network. */
  readonly allowedByName: boolean;
}

/** Parses the ranges of a target; refuses what is not an address, a slash and a length. */
export function parseRanges(texts: readonly string[]): readonly AddressRange[] {
  return texts.map(
    (text) =>
      parseAddressRange(text) ??
      refuse('addresses_allowed_invalid', `\`${text}\` is not a range of addresses`),
  );
}

/** The address, or nothing where it may not be reached. Anything but one plain spelling is refused. */
export function checkAddress(
  text: string,
  ranges: readonly AddressRange[],
): CheckedAddress | undefined {
  const parsed = parseAddress(text);
  const reach = parsed === undefined ? 'refused' : reachOf(parsed, ranges);
  if (parsed === undefined || reach === 'refused') return undefined;
  return {
    address: formatAddress(parsed),
    family: parsed.length === 4 ? 4 : 6,
    allowedByName: reach === 'named',
  };
}
