import type { Resource } from '../router.ts'
import { actionsResources } from './actions.ts'
import { apps } from './apps.ts'
import { checks } from './checks.ts'
import { comments } from './comments.ts'
import { commits } from './commits.ts'
import { contents } from './contents.ts'
import { gitData } from './git-data.ts'
import { issues } from './issues.ts'
import { labels } from './labels.ts'
import { pages } from './pages.ts'
import { people } from './people.ts'
import { pulls } from './pulls.ts'
import { reactions } from './reactions.ts'
import { releases } from './releases.ts'
import { repositories } from './repositories.ts'
import { reviews } from './reviews.ts'
import { rulesets } from './rulesets.ts'
import { statuses } from './statuses.ts'

/** Every resource file has one line here; the order does not matter. */
export const resources: readonly Resource[] = [
  apps,
  checks,
  comments,
  commits,
  contents,
  gitData,
  issues,
  labels,
  pages,
  people,
  pulls,
  reactions,
  releases,
  repositories,
  reviews,
  rulesets,
  statuses,
  ...actionsResources,
]
