import { DEPLOYMENT_STATUSES } from '../src/core/deployment/schema.ts'
import { isTerminal } from '../src/core/deployment/status.ts'
import { RELEASE_STATUSES } from '../src/core/release/schema.ts'
import { isOpen, RELEASE_TRANSITIONS } from '../src/core/release/transitions.ts'
import { BLOCKER_CODES } from '../src/core/ring/schema.ts'

export const STATES_PATH = 'docs/states.md'

const moves = (): string[] =>
  RELEASE_TRANSITIONS.flatMap((row) =>
    row.from.map((from) => `  ${from} --> ${row.to}: ${row.event.slice('release.'.length).replace('_', ' ')}`),
  )

/** The page of states, rendered from the tables that decide. */
export const renderStates = (): string => `# States

<!-- Generated from the tables of the source by npm run schemas; a test fails when they differ. -->

## A release

\`\`\`mermaid
stateDiagram-v2
  [*] --> draft: opened
${moves().join('\n')}
${RELEASE_STATUSES.filter((status) => !isOpen(status))
  .map((status) => `  ${status} --> [*]`)
  .join('\n')}
\`\`\`

A move that is not drawn is refused, and changes nothing where it stands in a log. Open: ${RELEASE_STATUSES.filter(isOpen).join(', ')}.

## An attempt to deploy

${DEPLOYMENT_STATUSES.filter((status) => !isTerminal(status)).join(' and ')} are under way; ${DEPLOYMENT_STATUSES.filter(isTerminal).join(', ')} end it. Any of them may be the first that is heard. Of all that is said of one attempt, the newest counts (the highest id of a deployment status), in whatever order it arrives; an attempt whose run ended without a word is aborted until a later word is heard.

## Why a gate waits

All that stand against a version are said at once: ${BLOCKER_CODES.map((code) => `\`${code}\``).join(', ')}.
`
