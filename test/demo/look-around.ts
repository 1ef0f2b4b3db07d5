import { join } from 'node:path'
import type { Plot } from '../e2e/story/scenes.ts'
import { COHORT, RELEASE_REPOSITORY } from '../e2e/story/seed.ts'
import type { Stage } from '../e2e/story/stage.ts'

const CLI = 'node dist/cli/index.js'

/** What can be looked at while the sandbox of a played story stays up: addresses, a token, and lines to paste. */
export function lookAround({ sandbox, addresses, host, directory, keys }: Stage, { issue }: Plot): readonly string[] {
  const { token } = sandbox.as('ann')
  const resolve = [
    `${CLI} resolve --base-url ${host.url} --cohort ${COHORT} --root ${join(keys, '1.root.json')}`,
    `--state ${join(directory, 'your-device')} --release-version 2.9.0`,
  ]
  return [
    ...Object.entries(addresses).map(([what, address]) => `${what.padEnd(18)} ${address}`),
    `${"ann's token".padEnd(18)} ${token}   (she is a release manager)`,
    '',
    'The release issue and what was said on it:',
    `  curl -H "Authorization: Bearer ${token}" ${sandbox.origin}/repos/${RELEASE_REPOSITORY}/issues/${issue}`,
    `  curl -H "Authorization: Bearer ${token}" ${sandbox.origin}/repos/${RELEASE_REPOSITORY}/issues/${issue}/comments`,
    'Every event of the log:',
    `  ${CLI} ledger log --repo ${sandbox.repository(RELEASE_REPOSITORY).gitDirectory}`,
    'What a device of the cohort is to install:',
    `  ${resolve.join(' ')}`,
  ]
}
