import type { TypedEvent } from '../catalogue.ts'
import type { ConfigState } from './in-force.ts'

export function evolveConfig(
  state: ConfigState | undefined,
  event: TypedEvent<'config.accepted' | 'config.refused'>,
): ConfigState | undefined {
  const { digest, commit, repository } = event.data
  if (event.type === 'config.accepted') return { digest, commit, repository, acceptedAt: event.at, refused: null }
  return state && { ...state, refused: { digest, commit, problems: event.data.problems } }
}
