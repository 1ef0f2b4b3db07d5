import { bumpCommand } from '../src/cli/bump.ts'
import { COHORT_COMMANDS } from '../src/cli/cohort.ts'
import type { CliCommand } from '../src/cli/command.ts'
import { CONFIG_COMMANDS } from '../src/cli/config.ts'
import { doctor } from '../src/cli/doctor.ts'
import { KEY_COMMANDS } from '../src/cli/keys.ts'
import { LEDGER_COMMANDS } from '../src/cli/ledger.ts'
import { MANIFEST_COMMANDS } from '../src/cli/manifest.ts'
import { notesCommand } from '../src/cli/notes.ts'
import { RELEASE_COMMANDS } from '../src/cli/release.ts'
import { resolveCommand } from '../src/cli/resolve.ts'
import { ruleset } from '../src/cli/ruleset.ts'
import { VERSION_COMMANDS } from '../src/cli/version-set.ts'

/** Every command of the command line, in the order of its help. The entry point loads them by group, lazily. */
export const CLI_COMMANDS: readonly CliCommand[] = [
  bumpCommand,
  ...COHORT_COMMANDS,
  ...CONFIG_COMMANDS,
  doctor,
  ...KEY_COMMANDS,
  ...LEDGER_COMMANDS,
  ...MANIFEST_COMMANDS,
  notesCommand,
  ...RELEASE_COMMANDS,
  ...VERSION_COMMANDS,
  resolveCommand,
  ruleset,
]
