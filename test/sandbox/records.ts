import { type Account, type App, perRepository, type Repository } from './store.ts'
import type { World } from './world.ts'

export interface Label {
  readonly id: number
  name: string
  color: string
  description: string | null
}

export interface Reaction {
  readonly id: number
  readonly content: string
  readonly by: Account
  readonly createdAt: string
}

export interface Comment {
  readonly id: number
  readonly issue: Issue
  body: string
  readonly author: Account
  readonly app: App | null
  readonly createdAt: string
  updatedAt: string
  readonly reactions: Reaction[]
}

/** An issue, or the conversation of a pull request when `pull` is there. */
export interface Issue {
  readonly id: number
  readonly number: number
  title: string
  body: string | null
  readonly author: Account
  readonly app: App | null
  state: 'open' | 'closed'
  stateReason: string | null
  labels: Label[]
  assignees: Account[]
  locked: boolean
  readonly createdAt: string
  updatedAt: string
  closedAt: string | null
  closedBy: Account | null
  readonly reactions: Reaction[]
  pull: Pull | null
}

export interface Pull {
  readonly id: number
  readonly headRef: string
  baseRef: string
  headOid: string
  baseOid: string
  draft: boolean
  mergedAt: string | null
  mergedBy: Account | null
  mergeCommitOid: string | null
  /** While its merge moves the base: it is open until that is done. */
  isLanding: boolean
  reviewers: Account[]
  /** Of the branch against its base, counted when the head or base changes. */
  stats: PullStats
}

export interface PullStats {
  readonly commits: number
  readonly additions: number
  readonly deletions: number
  readonly changedFiles: number
}

export type ReviewState = 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED' | 'PENDING'

export interface Review {
  readonly id: number
  readonly issue: Issue
  readonly author: Account
  body: string
  state: ReviewState
  commitOid: string
  submittedAt: string | null
}

/** Issues and pull requests share their numbers. */
export interface Conversations {
  readonly issues: Map<number, Issue>
  readonly comments: Map<number, Comment>
  readonly reviews: Map<number, Review>
  /** By lower-case name. */
  readonly labels: Map<string, Label>
}

export const conversationsOf = perRepository(
  (): Conversations => ({ issues: new Map(), comments: new Map(), reviews: new Map(), labels: new Map() }),
)

export interface NewIssue {
  readonly title: string
  readonly body: string | null
  readonly author: Account
  readonly app: App | null
}

/** The next number of the repository. */
export function addIssue(world: World, repository: Repository, { title, body, author, app }: NewIssue): Issue {
  const { issues } = conversationsOf(repository)
  const now = world.clock.now()
  const issue: Issue = {
    id: world.nextId(),
    number: issues.size + 1,
    title,
    body,
    author,
    app,
    state: 'open',
    stateReason: null,
    labels: [],
    assignees: [],
    locked: false,
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    closedBy: null,
    reactions: [],
    pull: null,
  }
  issues.set(issue.number, issue)
  return issue
}

/** A label of that name, made grey when new, as GitHub does for labels set on an issue. */
export function labelNamed(world: World, repository: Repository, name: string): Label {
  const { labels } = conversationsOf(repository)
  const key = name.toLowerCase()
  const known = labels.get(key)
  if (known) return known
  const label: Label = { id: world.nextId(), name, color: 'ededed', description: null }
  labels.set(key, label)
  return label
}
