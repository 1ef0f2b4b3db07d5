import type { CommandName } from '../../command/table.ts'
import type { HandlersOf } from '../handling.ts'
import { checklistHandlers } from './checklist.ts'
import { cohortHandlers } from './cohorts.ts'
import { compositionHandlers } from './composition.ts'
import { conductHandlers } from './conduct.ts'
import { deviceHandlers } from './devices.ts'
import { gateHandlers } from './gates.ts'
import { generalHandlers } from './general.ts'
import { lifecycleHandlers } from './lifecycle.ts'
import { nextVersionHandlers } from './next-version.ts'
import { previewHandlers } from './previews.ts'
import { questionHandlers } from './questions.ts'
import { signoffHandlers } from './signoff.ts'
import { versionHandlers } from './versions.ts'

/** The one table of what each command does. A dry run has no handler: it runs that of another command. */
export const HANDLERS: HandlersOf<Exclude<CommandName, 'dry-run'>> = {
  ...compositionHandlers,
  ...nextVersionHandlers,
  ...versionHandlers,
  ...lifecycleHandlers,
  ...conductHandlers,
  ...checklistHandlers,
  ...signoffHandlers,
  ...gateHandlers,
  ...questionHandlers,
  ...previewHandlers,
  ...cohortHandlers,
  ...deviceHandlers,
  ...generalHandlers,
}
