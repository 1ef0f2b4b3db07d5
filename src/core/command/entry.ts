import type { Permission } from '../access/decide.ts'
import type { Argument } from './arguments.ts'

/** Where a command may be said. A pull request that is no proposal of ours is any issue. */
export type Place = 'release-issue' | 'proposal' | 'any-issue'

export const OF_A_RELEASE: readonly Place[] = ['release-issue', 'proposal']
export const ANYWHERE: readonly Place[] = ['release-issue', 'proposal', 'any-issue']

/** One command: what people type, where, what it needs, and how its arguments become values. */
export interface CommandEntry<N extends string, A> {
  readonly name: N
  readonly usage: string
  readonly help: string
  readonly where: readonly Place[]
  readonly permission: Permission
  /** Whether it is, beyond that, for members of a party of the release alone. */
  readonly ofParty?: true
  parse(args: string): Argument<A>
}

export const entry = <N extends string, A>(definition: CommandEntry<N, A>): CommandEntry<N, A> => definition
