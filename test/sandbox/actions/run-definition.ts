import type { Commit } from '../git/repository.ts'
import type { ActionSource, Step, StepFunction } from '../runner.ts'
import type { Account, Permissions, Repository } from '../store.ts'
import type { Concurrency } from './concurrency.ts'
import type { Workflow } from './records.ts'

/** Texts may hold `${{ }}`. */
export interface JobEnvironment {
  readonly name: string
  readonly url: string | undefined
  /** False: no deployment is made. Not to be had where an App is a rule of the environment. */
  readonly deployment: boolean
}

export interface JobDefinition {
  /** Its key in the workflow. */
  readonly key: string
  readonly name: string
  readonly needs: readonly string[]
  readonly if: string | undefined
  readonly environment: JobEnvironment | undefined
  readonly env: ReadonlyMap<string, string>
  readonly outputs: ReadonlyMap<string, string>
  /** What its GITHUB_TOKEN may. */
  readonly permissions: Permissions
  readonly concurrency: Concurrency | undefined
  readonly steps: readonly (Step | StepFunction)[]
}

/** All that an attempt needs to run; the same for every attempt. */
export interface RunDefinition {
  readonly repository: Repository
  readonly workflow: Workflow
  readonly title: string
  readonly event: string
  /** What `github.event` holds. */
  readonly payload: Readonly<Record<string, unknown>>
  readonly inputs: Readonly<Record<string, unknown>>
  readonly vars: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
  readonly headCommit: Commit
  /** `refs/heads/…`, `refs/tags/…` or `refs/pull/…/merge` */
  readonly ref: string
  /** Of a pull request's run: its branches. */
  readonly pull: { readonly headRef: string; readonly baseRef: string } | undefined
  readonly actor: Account
  readonly env: ReadonlyMap<string, string>
  readonly concurrency: Concurrency | undefined
  readonly jobs: readonly JobDefinition[]
  readonly actions: ReadonlyMap<string, ActionSource>
  /** Why the run cannot even start (a broken workflow file): it then ends as `startup_failure`. */
  readonly startupFailure?: string
}

/** What GitHub grants when a workflow says nothing: reading only. */
export const defaultPermissions: Permissions = new Map([
  ['contents', 'read'],
  ['metadata', 'read'],
  ['packages', 'read'],
])
