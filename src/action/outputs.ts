/** Every output of the Action. `action.yml` declares exactly these, by test. */
export const OUTPUTS = {
  version:
    'The version of this commit: the next one, or that of the tag it already carries. Empty when nothing since the last release makes a new one. Of `next-build` the development version that was handed out.',
  'previous-version': 'The last release that is an ancestor of this commit. Empty before the first one.',
  bump: 'What the commits ask for: `none`, `patch`, `minor`, `major`, or `exact` (a version asked for by a footer).',
  released: '`true` when a new version is to be released, else `false`.',
  explanation: 'JSON: what gave the version, commit by commit, with the rule and the warnings (the newest 100).',
  'version-files': 'The files that the version was written into, one a line. Empty where none was to be changed.',
  tag: 'The name of the tag. Empty when there was nothing to tag.',
  created: '`true` when this step made the tag, `false` when it was there already, or nothing was to be tagged.',
  branch: 'The release branch. Empty where none was asked for.',
  'release-url': 'The page of the GitHub Release. Empty where none was asked for, and in a dry run.',
  notes: 'What the version changes, as Markdown; of long notes the beginning.',
  'changelog-file': 'The changelog that a section was written into. Empty where none was to be changed.',
  product: 'The name under which it was recorded, or a number was handed out.',
  'check-run-id': 'The check run that holds the build. Empty when nothing was recorded.',
  'deployment-id': 'The GitHub Deployment that holds the attempt. Empty in a dry run that found none.',
  status: 'The status as recorded: `pending`, `started`, `completed`, `failed` or `aborted`.',
  valid: '`true` when the configuration holds, else `false` (the step then fails).',
  digest:
    'The SHA-256 of the configuration’s exact text, under which the ledger keeps it. Empty when it does not hold.',
  'published-files': 'The files that were published, one a line, in the order that they went out.',
  'timestamp-version': 'The version of the pointer that devices ask for.',
} as const satisfies Record<string, string>

export type OutputName = keyof typeof OUTPUTS

/** Which outputs a command sets: each of them always, and no other. */
export const OUTPUTS_OF = {
  bump: ['version', 'previous-version', 'bump', 'released', 'explanation', 'version-files'],
  tag: ['version', 'tag', 'created', 'branch', 'release-url'],
  notes: ['version', 'previous-version', 'notes', 'changelog-file'],
  'record-build': ['check-run-id', 'version', 'product', 'status'],
  'next-build': ['version', 'product'],
  'record-deployment': ['deployment-id', 'version', 'product', 'status'],
  'validate-config': ['valid', 'digest'],
  publish: ['published-files', 'timestamp-version'],
} as const satisfies Record<string, readonly OutputName[]>

export type CommandName = keyof typeof OUTPUTS_OF

/** The commands that work, in the order of the documentation. */
export const COMMANDS = Object.keys(OUTPUTS_OF) as readonly CommandName[]
