import type { z } from 'zod'
import { quoted } from '../problem.ts'

type Issue = z.core.$ZodIssue

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
}

const literal = (value: unknown): string => (typeof value === 'string' ? quoted(value) : String(value))

const several = (count: number | bigint, one: string): string => `${count} ${one}${Number(count) === 1 ? '' : 's'}`

/** What a length or a number has to be, by what it is the length of. */
function bound(least: 'least' | 'most', limit: number | bigint, origin: string): string {
  if (origin === 'string') return `expected text of at ${least} ${several(limit, 'character')}`
  if (origin === 'array' || origin === 'set') return `expected a list of at ${least} ${limit}`
  return `expected a number of at ${least} ${limit}`
}

/** What was expected, in words for people who write YAML and need not know who checks it. */
export function expectedText(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${KINDS[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `expected ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(literal).join(', ')}`
    case 'too_small':
      return bound('least', issue.minimum, issue.origin)
    case 'too_big':
      return bound('most', issue.maximum, issue.origin)
    default:
      return said(issue)
  }
}

/** The schema's own sentence where it has one; a pattern is shown as it is. */
function said(issue: Issue): string {
  if (issue.message.startsWith('expected')) return issue.message
  if (issue.code === 'invalid_format' && issue.pattern !== undefined)
    return `expected text that fits the pattern ${issue.pattern}`
  return 'expected another value'
}

const LONGEST = 80

/** What was found: mappings and lists are named, not written out, for they may hold themselves by an alias. */
export function foundText(found: unknown): string {
  if (found === undefined || found === null) return 'nothing'
  if (Array.isArray(found)) return found.length === 0 ? 'an empty list' : `a list of ${found.length}`
  if (typeof found === 'object') return 'a mapping'
  if (typeof found !== 'string') return String(found)
  return found.length > LONGEST ? `${quoted(found)} (${found.length} characters)` : quoted(found)
}
