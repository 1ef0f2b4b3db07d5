import type { GitRepository } from '../git/repository.ts'
import type { ActionSource } from '../runner.ts'
import type { Repository } from '../store.ts'
import type { World } from '../world.ts'
import { recordsOf, type Workflow } from './records.ts'
import { readWorkflowFile, type WorkflowFile } from './workflow-file.ts'

const directory = '.github/workflows'

/** What the runs of one sandbox share: actions by their `uses:` text, variables and secrets. */
export interface ActionsSettings {
  readonly actions: Map<string, ActionSource>
  readonly vars: Map<string, string>
  readonly secrets: Map<string, string>
}

const settings = new WeakMap<World, ActionsSettings>()
export function settingsOf(world: World): ActionsSettings {
  const known = settings.get(world)
  if (known !== undefined) return known
  const made: ActionsSettings = { actions: new Map(), vars: new Map(), secrets: new Map() }
  settings.set(world, made)
  return made
}

/** The workflow of that path, remembered under one id from its first sight on. */
export function ensureWorkflow(world: World, repository: Repository, path: string, name: string): Workflow {
  const { workflows } = recordsOf(repository)
  const known = workflows.get(path)
  if (known !== undefined) {
    known.name = name
    return known
  }
  const now = world.clock.now()
  const workflow: Workflow = { id: world.nextId(), path, name, createdAt: now, updatedAt: now }
  workflows.set(path, workflow)
  return workflow
}

/** Either the file as read or why it cannot be run. */
export type FoundWorkflow = { readonly path: string } & (
  | { readonly kind: 'valid'; readonly file: WorkflowFile }
  | { readonly kind: 'broken'; readonly message: string }
)

function understand(path: string, text: string): FoundWorkflow {
  try {
    return { kind: 'valid', path, file: readWorkflowFile(path, text) }
  } catch (error) {
    return { kind: 'broken', path, message: error instanceof Error ? error.message : String(error) }
  }
}

export async function readWorkflow(git: GitRepository, sha: string, path: string): Promise<FoundWorkflow | undefined> {
  const bytes = await git.readFile(sha, path)
  return bytes === undefined ? undefined : understand(path, bytes.toString())
}

/** The workflows of a commit, by path. */
export async function workflowsAt(git: GitRepository, sha: string): Promise<FoundWorkflow[]> {
  const commit = await git.readCommit(sha)
  const tree = commit && (await git.entryAt(commit.tree, directory))
  const entries = tree?.mode === '040000' ? await git.readTree(tree.oid) : undefined
  const paths = (entries ?? []).filter((one) => /\.ya?ml$/.test(one.name)).map((one) => `${directory}/${one.name}`)
  const found = await Promise.all(paths.map((path) => readWorkflow(git, sha, path)))
  return found.filter((one) => one !== undefined)
}

/** Makes the workflows of the default branch known, as GitHub lists them. */
export async function refreshWorkflows(world: World, repository: Repository): Promise<void> {
  const git = world.gitOf(repository)
  const head = await git.readRef(`refs/heads/${repository.defaultBranch}`)
  if (head === undefined) return
  for (const one of await workflowsAt(git, head))
    ensureWorkflow(world, repository, one.path, one.kind === 'valid' ? one.file.name : one.path)
}
