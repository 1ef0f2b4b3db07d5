const SHAPE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
const MS_PER_DAY = 86_400_000

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Days from 1970-01-01 to the first of January of `year`. */
function daysToYear(year: number): number {
  const before = year - 1
  return before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 719_162
}

/** Midnight UTC of a calendar day in milliseconds since 1970, or NaN where the calendar has no such day. */
function dayMs(year: number, month: number, day: number): number {
  const before = DAYS_BEFORE_MONTH[month - 1]
  if (before === undefined || day < 1 || day > daysInMonth(year, month)) return Number.NaN
  return (daysToYear(year) + before + (month > 2 && isLeap(year) ? 1 : 0) + day - 1) * MS_PER_DAY
}

const twoDigits = (text: string, at: number): number => (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48

function clockMs(hours: number, minutes: number, seconds: number): number {
  return hours > 23 || minutes > 59 || seconds > 59 ? Number.NaN : ((hours * 60 + minutes) * 60 + seconds) * 1000
}

const SEPARATORS = [
  [4, 45],
  [7, 45],
  [10, 84],
  [13, 58],
  [16, 58],
  [19, 90],
] as const
const DIGITS = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18] as const

/** Whether the text has the usual form `2026-01-15T12:00:00Z`: every update check reads one, so it costs no match. */
function isUsual(text: string): boolean {
  if (text.length !== 20) return false
  for (const [at, code] of SEPARATORS) if (text.charCodeAt(at) !== code) return false
  for (const at of DIGITS) {
    const code = text.charCodeAt(at)
    if (code < 48 || code > 57) return false
  }
  return true
}

/** The date and time of day in the first 19 characters, as if at UTC; NaN for a moment that no calendar has. */
function civilMs(text: string): number {
  const day = dayMs(twoDigits(text, 0) * 100 + twoDigits(text, 2), twoDigits(text, 5), twoDigits(text, 8))
  return day + clockMs(twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17))
}

const finite = (ms: number): number | undefined => (Number.isNaN(ms) ? undefined : ms)

/**
 * Milliseconds since 1970 of an RFC 3339 date-time, `Z` or with an offset; undefined for anything else, days that
 * no calendar has and leap seconds included. `Date.parse` is not used because it turns 30 February into 2 March.
 */
export function instantMs(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined
  if (isUsual(text)) return finite(civilMs(text))
  const match = SHAPE.exec(text)
  if (match === null) return undefined
  const fraction = match[1] === undefined ? 0 : Number(match[1].padEnd(3, '0').slice(0, 3))
  const offset =
    match[2] === undefined ? 0 : clockMs(Number(match[3]), Number(match[4]), 0) * (match[2] === '-' ? -1 : 1)
  return finite(civilMs(text) + fraction - offset)
}
