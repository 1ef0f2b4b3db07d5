import type { Resource } from '../router.ts'
import { deployments } from './deployments.ts'
import { environments } from './environments.ts'
import { gates } from './gates.ts'
import { oidc } from './oidc.ts'
import { workflowRuns } from './workflow-runs.ts'
import { workflows } from './workflows.ts'

/** Actions and deployments. */
export const actionsResources: readonly Resource[] = [deployments, environments, gates, oidc, workflowRuns, workflows]
