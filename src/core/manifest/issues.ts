import type { z } from 'zod'
import { accepted, type Checked, quoted, rejected } from '../problem.ts'

/** How many problems of one document are told; the rest is counted. */
const MAX_TOLD = 20

/** Parses by a schema; each issue becomes a problem with the path of the field in `what`. */
export function checkIssues<S extends z.ZodType, Code extends string>(
  schema: S,
  value: unknown,
  code: Code,
  what: string,
): Checked<z.infer<S>, Code> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return accepted(parsed.data)
  const { issues } = parsed.error
  const told = issues.slice(0, MAX_TOLD).map((issue) => {
    const path = issue.path.map(String).join('.')
    return { code, message: `${what}${path && ` at ${quoted(path)}`}: ${issue.message}`, ...(path && { path }) }
  })
  const left = issues.length - told.length
  return rejected(...told, ...(left > 0 ? [{ code, message: `${what}: and ${left} more problem(s)` }] : []))
}

/** Reads JSON text from bytes and parses it by a schema. */
export function parseDocument<S extends z.ZodType, Code extends string>(
  schema: S,
  bytes: Uint8Array,
  code: Code,
  what: string,
): Checked<z.infer<S>, Code> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return rejected({ code, message: `expected JSON text in ${what}, found something that cannot be read as such` })
  }
  return checkIssues(schema, value, code, what)
}
