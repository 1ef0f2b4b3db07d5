const SHAPE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/
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

/**
 * Milliseconds since 1970 of an RFC 3339 date-time, `Z` or with an offset; undefined for anything else, days that
 * no calendar has and leap seconds included. `Date.parse` is not used because it turns 30 February into 2 March.
 */
export function instantMs(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined
  const match = SHAPE.exec(text)
  if (match === null) return undefined
  const day = dayMs(twoDigits(text, 0) * 100 + twoDigits(text, 2), twoDigits(text, 5), twoDigits(text, 8))
  const clock = clockMs(twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17))
  const fraction = match[7] === undefined ? 0 : Math.floor(Number(`0.${match[7]}`) * 1000)
  const offset =
    match[8] === undefined ? 0 : clockMs(Number(match[9]), Number(match[10]), 0) * (match[8] === '-' ? -1 : 1)
  const ms = day + clock + fraction - offset
  return Number.isNaN(ms) ? undefined : ms
}
