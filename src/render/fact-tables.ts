import { SLOTS } from '../core/slots.ts'
import { SWEEPS } from '../engine/sweeps.ts'
import { markdownTable } from './text.ts'

const code = (text: string): string => `\`${text}\``

/** The table of `docs/sweeps.md`: each kind of fact, where it is read again, and what cannot be recovered. */
export const sweepTable = (): string =>
  markdownTable(
    ['Kind', 'What', 'Read again from', 'Slot', 'Not recovered'],
    SWEEPS.map(({ kind, fact, endpoint, key, lost }) => [
      kind,
      fact,
      endpoint.split(', ').map(code).join('<br>'),
      key,
      lost,
    ]),
  )

/** The table of idempotence: what makes two events the same one. */
export const slotTable = (): string =>
  markdownTable(
    ['Keys', 'What makes two events the same one', 'Types'],
    SLOTS.map(({ family, rule, types }) => [family, rule, types.map(code).join(', ')]),
  )
