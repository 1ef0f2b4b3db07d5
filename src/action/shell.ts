import { RingmasterError } from '../core/problem.ts'
import type { RunContext } from './context.ts'
import type { Clock, GitHubClient } from './github-client.ts'
import type { Inputs } from './read-inputs.ts'

/** What a command gets of the world. */
export interface Shell {
  readonly environment: Readonly<NodeJS.ProcessEnv>
  readonly clock: Clock
}

/** A client for the server of this run. Loaded late, so that a bump does without. */
export async function connectWith(inputs: Inputs, context: RunContext, clock: Clock): Promise<GitHubClient> {
  if (inputs.githubToken === null) {
    throw new RingmasterError('bad-input', {
      code: 'token-missing',
      message: 'expected a token as input github-token, found none',
      hint: 'leave the input out, so that the workflow’s own token is used',
      path: 'github-token',
    })
  }
  const { connect } = await import('./github-client.ts')
  return connect(context.apiUrl, inputs.githubToken, clock)
}
