import { SLOTS } from '../core/slots.ts'
import { markdownTable } from './text.ts'

/** The table of idempotence for people: what makes two events the same one. */
export const slotTable = (): string =>
  markdownTable(
    ['Keys', 'What makes two events the same one', 'Types'],
    SLOTS.map(({ family, rule, types }) => [family, rule, types.map((type) => `\`${type}\``).join(', ')]),
  )
