import type { TypedEvent } from '../catalogue.ts'
import type { ConfigChecks, ConfigState, RefusedConfig } from './in-force.ts'

export const evolveConfig = (_state: ConfigState | undefined, event: TypedEvent<'config.accepted'>): ConfigState => {
  const { digest, commit, repository } = event.data
  return { digest, commit, repository, acceptedAt: event.at }
}

export const evolveRefused = (
  _state: RefusedConfig | undefined,
  event: TypedEvent<'config.accepted' | 'config.refused'>,
): RefusedConfig => {
  if (event.type === 'config.accepted') return { refused: null }
  const { digest, commit, problems } = event.data
  return { refused: { digest, commit, problems } }
}

/** Checked configurations whose check runs are kept up; older ones stand as they are. */
const CHECKS_AT_HAND = 20

export function evolveChecks(state: ConfigChecks | undefined, event: TypedEvent<'config.checked'>): ConfigChecks {
  const others = (state?.checks ?? []).filter((check) => check.commit !== event.data.commit)
  return { checks: [...others, event.data].slice(-CHECKS_AT_HAND) }
}
