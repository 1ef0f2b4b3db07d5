import type { CohortOffer } from './cohort/effect.ts'
import type { ChannelEffect } from './cohort/effect-schema.ts'
import type { KnownVersion } from './cohort/fleet.ts'
import type { CommitSource } from './product/bump-options.ts'
import type { BumpDecision } from './version/decide.ts'
import type { Level } from './version/level.ts'

/**
 * What a decision may ask of the outside world, and the answers. Every answer can be `unreadable`: the decision then
 * fails closed. All are plain JSON, so that the facts used are recorded with the decision and it can be made again.
 */
export type FactQuery =
  /** What a person may do in a repository and which of the named teams they belong to (team: `org/slug`). */
  | {
      readonly kind: 'person'
      readonly login: string
      readonly id: number
      readonly repository: string
      readonly teams: readonly string[]
    }
  /** The account that a login names now. */
  | { readonly kind: 'account'; readonly login: string }
  /** The members of a team (`org/slug`), child teams included. */
  | { readonly kind: 'team-members'; readonly team: string }
  /**
   * The reviews of a pull request of the release repository, in GitHub's order. Of many in which one person says the same, the
   * newest: those before change nothing.
   */
  | { readonly kind: 'reviews'; readonly repository: string; readonly number: number }
  /** One file of a repository at a commit. */
  | { readonly kind: 'file'; readonly repository: string; readonly commit: string; readonly path: string }
  /** The merged pull requests by which a file came to be as it is at a commit, with who approved them. */
  | { readonly kind: 'merged-pulls'; readonly repository: string; readonly commit: string; readonly path: string }
  /** What the App itself may do with the contents of a repository. */
  | { readonly kind: 'app-access'; readonly repository: string }
  /** Who can read a repository. */
  | { readonly kind: 'visibility'; readonly repository: string }
  /** The tags of a repository whose names begin so. */
  | { readonly kind: 'tags'; readonly repository: string; readonly prefix: string }
  /** What the commits on the default branch of a repository ask for since the last release of a product. */
  | { readonly kind: 'next-version'; readonly repository: string; readonly source: CommitSource }
  /** 128 random bits for one purpose: the same for as long as one request is decided, however often. */
  | { readonly kind: 'random'; readonly purpose: string }
  /** What a change to a channel does to the devices that are known, at an instant. */
  | {
      readonly kind: 'channel-effect'
      readonly before: CohortOffer | null
      /** Of another cohort where all devices of the one before are sent there. */
      readonly after: CohortOffer
      /** Versions that devices may run beside those of the channel. */
      readonly others: readonly KnownVersion[]
      readonly now: string
    }

/** A tag with the commit that it leads to at the end. */
export interface TaggedCommit {
  readonly name: string
  readonly sha: string
}

/** What comes next for a product, without the words of its commits. */
export interface NextVersionFact {
  readonly branch: string
  readonly head: string
  readonly from: string | null
  readonly to: string | null
  readonly bump: BumpDecision['bump']
  readonly policy: BumpDecision['policy']
  /** The commits that count, newest first. */
  readonly commits: readonly {
    readonly sha: string
    readonly level: Level
    readonly rule: string
    readonly warnings: readonly string[]
  }[]
  /** How many commits change nothing of the product. */
  readonly outside: number
}

/** What is asked of the world outside; chance is the engine's own. */
export type OutsideQuery = Exclude<FactQuery, { kind: 'random' }>

/** What GitHub can answer. */
export type GitHubQuery = Exclude<OutsideQuery, { kind: 'channel-effect' }>
export type GitHubAnswer = Extract<FactAnswer, { kind: GitHubQuery['kind'] }>

export interface ReviewFact {
  readonly id: number
  readonly user: { readonly login: string; readonly id: number; readonly type: string } | null
  /** APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED, PENDING, or what GitHub invents next. */
  readonly state: string
  readonly commit: string | null
  /** When the opinion was given, ISO 8601 UTC. */
  readonly at: string | null
}

export type FactAnswer =
  | {
      readonly kind: 'person'
      readonly permission: 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none' | 'unreadable'
      readonly teams: readonly { readonly team: string; readonly membership: 'member' | 'not-member' | 'unreadable' }[]
    }
  | {
      readonly kind: 'account'
      /** null: nobody has this login. `type` is GitHub's word: User, Bot, Organization … */
      readonly account: { readonly login: string; readonly id: number; readonly type: string } | null | 'unreadable'
    }
  | {
      readonly kind: 'team-members'
      readonly members: readonly { readonly login: string; readonly id: number }[] | 'unreadable'
    }
  /** `too-large`: read, but more than an event of the log holds, with the members of the teams that sign. */
  | { readonly kind: 'reviews'; readonly reviews: readonly ReviewFact[] | 'unreadable' | 'too-large' }
  | { readonly kind: 'file'; readonly text: string | null | 'unreadable' }
  | {
      readonly kind: 'merged-pulls'
      readonly pulls:
        | readonly {
            readonly number: number
            /** What its approvers saw: its last commit. */
            readonly head: string
            readonly approvers: readonly { readonly login: string; readonly id: number }[]
          }[]
        | 'unreadable'
    }
  | { readonly kind: 'app-access'; readonly contents: 'write' | 'read' | 'none' | 'not-installed' | 'unreadable' }
  /** GitHub's word: private, internal, public, or what it invents next. */
  | { readonly kind: 'visibility'; readonly visibility: string | 'unreadable' }
  | { readonly kind: 'tags'; readonly tags: readonly TaggedCommit[] | 'unreadable' }
  /** `too-many`: more commits, or tags beside them, than are looked at one by one. */
  | { readonly kind: 'next-version'; readonly next: NextVersionFact | 'too-many' | 'unreadable' }
  /** 32 lower-case hexadecimal digits. */
  | { readonly kind: 'random'; readonly text: string }
  | { readonly kind: 'channel-effect'; readonly effect: ChannelEffect | 'unreadable' }
