import type { z } from 'zod'
import { accepted, type Checked, quoted } from '../core/problem.ts'

/** Checks a record against its schema; each problem names the field and what was found there. */
export function checkRecord<T>(schema: z.ZodType<T>, record: unknown): Checked<T, 'record-invalid'> {
  const read = schema.safeParse(record)
  if (read.success) return accepted(read.data)
  return {
    ok: false,
    problems: read.error.issues.map((issue) => {
      const path = issue.path.map(String).join('.')
      return {
        code: 'record-invalid' as const,
        message: `expected ${path || 'the record'} to hold (${issue.message}), found ${quoted(valueAt(record, issue.path))}`,
        path,
      }
    }),
  }
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  )
