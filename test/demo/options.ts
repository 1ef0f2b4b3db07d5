import { decideBump } from '../../src/core/version/decide.ts'
import { STORY_SETTINGS } from '../e2e/story/seed.ts'
import { readRunOptions, UsageError } from '../sandbox/run-options.ts'

export const USAGE = 'npm run demo -- [--keep] [--firmware-commit MESSAGE]'

export interface DemoOptions {
  readonly keep: boolean
  readonly help: boolean
  readonly firmwareCommit: string
}

/** Reads what the demo is started with. Throws `UsageError` for what it cannot be played with. */
export function readDemoOptions(args: readonly string[]): DemoOptions {
  const values = readRunOptions(USAGE, args, {
    keep: { type: 'boolean' },
    'firmware-commit': { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  })
  const firmwareCommit = values['firmware-commit'] ?? STORY_SETTINGS.firmwareCommit
  if (!releases(firmwareCommit)) {
    throw new UsageError(
      `expected a commit message that asks for a new version, such as "fix: keep the clock", found ${JSON.stringify(firmwareCommit)}, after which nothing is released.\nUsage: ${USAGE}`,
    )
  }
  return { keep: values.keep ?? false, help: values.help ?? false, firmwareCommit }
}

/** Whether the workflows of the story make a version of a message: they bump with the Action's own preset. */
function releases(message: string): boolean {
  const decided = decideBump({ preset: 'ringmaster' }, '3.0.0', [{ sha: '0'.repeat(40), message }])
  return decided.ok && decided.value.to !== null
}
