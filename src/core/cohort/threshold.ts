/** One more than the highest bucket: a threshold of 2^128 admits everybody. */
export const EVERYBODY = 1n << 128n

/** Lower-case hexadecimal without leading zeros, from 0 to 2^128. */
export const THRESHOLD_SHAPE = /^(?:0|[1-9a-f][0-9a-f]{0,31}|10{32})$/

const SHARE_SHAPE = /^(0|1)(?:\.(\d{1,18}))?$/
const PADDED_DIGITS = 33

/** A share between 0 and 1 as an exact fraction. */
export interface Share {
  readonly numerator: bigint
  readonly denominator: bigint
}

/** Reads decimal text from 0 to 1 with at most 18 decimals, such as `0.25`; undefined for anything else. */
export function parseShare(text: string): Share | undefined {
  const match = SHARE_SHAPE.exec(text)
  if (match === null) return undefined
  const decimals = match[2] ?? ''
  const denominator = 10n ** BigInt(decimals.length)
  const numerator = BigInt(`${match[1]}${decimals}`)
  return numerator <= denominator ? { numerator, denominator } : undefined
}

/** floor(share × whole), in integers only: 0.29 of 100 is 29. */
export const floorOf = (share: Share, whole: bigint): bigint => (share.numerator * whole) / share.denominator

/** The threshold that admits the share of all possible buckets; undefined where the text is no share. */
export function shareThreshold(text: string): bigint | undefined {
  const share = parseShare(text)
  return share === undefined ? undefined : floorOf(share, EVERYBODY)
}

/** floor(share × enrolled) permissions; undefined where the text is no share. */
export function sharePermissions(text: string, enrolled: number): number | undefined {
  const share = parseShare(text)
  return share === undefined ? undefined : Number(floorOf(share, BigInt(enrolled)))
}

export const formatThreshold = (threshold: bigint): string => threshold.toString(16)

/** Reads a published threshold; undefined for anything that is not exactly in its one form. */
export const parseThreshold = (text: string): bigint | undefined =>
  THRESHOLD_SHAPE.test(text) ? BigInt(`0x${text}`) : undefined

/** Fixed width, so that comparing texts compares numbers: a decision for each device needs no big integer. */
export const paddedThreshold = (threshold: bigint): string => threshold.toString(16).padStart(PADDED_DIGITS, '0')

/** Whether the bucket (32 hexadecimal digits) is below the padded threshold; the threshold itself is outside. */
export const isBelow = (bucket: string, padded: string): boolean => `0${bucket}` < padded

/** The larger threshold: what was permitted stays permitted. */
export const grown = (before: bigint, wanted: bigint): bigint => (wanted > before ? wanted : before)

/** The threshold as a percentage for people, rounded down to at most two decimals: `25`, `0.01`. */
export function percentText(threshold: bigint): string {
  const hundredths = (threshold * 10_000n) / EVERYBODY
  const decimals = (hundredths % 100n).toString().padStart(2, '0').replace(/0+$/, '')
  return decimals === '' ? `${hundredths / 100n}` : `${hundredths / 100n}.${decimals}`
}
