/** The currencies of ISO 4217 with the digits of their minor unit. Units of account without one are left out. */

const NONE = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF';
const THREE = 'BHD IQD JOD KWD LYD OMR TND';
const FOUR = 'CLF UYW';
const TWO = [
  'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF',
  'CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD',
  'GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL',
  'MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR',
  'PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP',
  'TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG',
].join(' ');

const MINOR_DIGITS: ReadonlyMap<string, number> = new Map(
  [NONE, '', TWO, THREE, FOUR].flatMap((codes, digits) =>
    codes
      .split(' ')
      .filter((code) => code !== '')
      .map((code) => [code, digits] as const),
  ),
);

/** Digits of the currency's minor unit (2 for `EUR`, 0 for `JPY`), or `undefined` where there is no such currency. */
export function minorDigitsOf(currency: string): number | undefined {
  return MINOR_DIGITS.get(currency);
}

/** All currency codes, for suggestions. */
export function currencies(): readonly string[] {
  return [...MINOR_DIGITS.keys()];
}
