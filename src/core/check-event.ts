import { z } from 'zod'
import { CATALOGUE, isEventType } from './catalogue.ts'
import type { LedgerEvent } from './event.ts'
import { quoted } from './problem.ts'
import { quickCheck } from './quick-check.ts'
import { fitsSlot } from './slots.ts'

/**
 * What is wrong with a recorded event by itself, as "expected …, found …"; null when nothing is. A type is known, its
 * data is of that type, and its key is in a slot of it.
 */
export function checkEvent(event: LedgerEvent): string | null {
  if (!isEventType(event.type)) return `expected a known type of event, found ${quoted(event.type)}`
  const schema = CATALOGUE[event.type]
  const data = quickCheck(schema)(event.data) ? null : schema.safeParse(event.data)
  if (data && !data.success)
    return `expected the data of ${event.type}, found something else: ${z.prettifyError(data.error).replaceAll(/\s*\n\s*/g, ' ')}`
  if (!fitsSlot(event)) return `expected a key in a slot of ${event.type}, found ${quoted(event.key)}`
  return null
}
