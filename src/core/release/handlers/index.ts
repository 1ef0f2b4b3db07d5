import type { CommandName } from '../../command/table.ts'
import type { HandlersOf } from '../handling.ts'
import { checklistHandlers } from './checklist.ts'
import { compositionHandlers } from './composition.ts'
import { generalHandlers } from './general.ts'
import { lifecycleHandlers } from './lifecycle.ts'

/** The one table of what each command does. */
export const HANDLERS: HandlersOf<CommandName> = {
  ...compositionHandlers,
  ...lifecycleHandlers,
  ...checklistHandlers,
  ...generalHandlers,
}
