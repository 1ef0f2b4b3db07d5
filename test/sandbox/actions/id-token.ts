import { createSign, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { fullName } from '../store.ts'
import type { World } from '../world.ts'
import { githubContext } from './github-context.ts'
import type { Job } from './records.ts'
import type { RunDefinition } from './run-definition.ts'

interface Issuer {
  readonly keyId: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** The job behind a request token. */
  readonly holders: Map<string, { readonly definition: RunDefinition; readonly job: Job }>
}

const issuers = new WeakMap<World, Issuer>()
function issuerOf(world: World): Issuer {
  const known = issuers.get(world)
  if (known !== undefined) return known
  const made = { keyId: randomUUID(), ...generateKeyPairSync('rsa', { modulusLength: 2048 }), holders: new Map() }
  issuers.set(world, made)
  return made
}

/** `iss` of the tokens; `/.well-known/openid-configuration` below it leads to the keys. */
export const issuerUrl = (world: World): string => `${world.origin}/oidc`

/** The public keys as a JSON Web Key Set. */
export const keySet = (world: World): object => {
  const { keyId, publicKey } = issuerOf(world)
  return { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: keyId, use: 'sig', alg: 'RS256' }] }
}

/** What a job with `id-token: write` finds in its environment. The token ends by `endIdToken`. */
export function idTokenVariables(world: World, definition: RunDefinition, job: Job): Record<string, string> {
  const token = world.mintActionsToken(definition.repository, new Map([['id_token', 'write']]), job.run.id)
  issuerOf(world).holders.set(token, { definition, job })
  return {
    ACTIONS_ID_TOKEN_REQUEST_URL: `${issuerUrl(world)}/token?api-version=2.0`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: token,
  }
}

export function endIdToken(world: World, variables: Readonly<Record<string, string>>): void {
  const token = variables['ACTIONS_ID_TOKEN_REQUEST_TOKEN']
  if (token === undefined) return
  issuers.get(world)?.holders.delete(token)
  world.revoke(token)
}

const lifetimeSeconds = 300
const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/**
 * A signed identity token for the job that holds the request token; undefined when no job does. Claims:
 * docs.github.com/actions/reference/security/oidc. Times are the machine's, as those of all credentials here.
 */
export function issueIdToken(world: World, requestToken: string, audience: string | null): string | undefined {
  const { holders, keyId, privateKey } = issuerOf(world)
  const holder = holders.get(requestToken)
  if (holder === undefined) return undefined
  const nowSeconds = Math.floor(Date.now() / 1000)
  const claims = {
    ...claimsOf(world, holder.definition, holder.job),
    jti: randomUUID(),
    aud: audience ?? `${world.origin}/${holder.definition.repository.owner.login}`,
    iss: issuerUrl(world),
    nbf: nowSeconds - 10,
    iat: nowSeconds,
    exp: nowSeconds + lifetimeSeconds,
  }
  const signed = `${base64({ typ: 'JWT', alg: 'RS256', kid: keyId })}.${base64(claims)}`
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey).toString('base64url')}`
}

const copied = [
  'ref',
  'sha',
  'repository',
  'repository_owner',
  'repository_owner_id',
  'repository_id',
  'run_id',
  'run_number',
  'run_attempt',
  'actor',
  'actor_id',
  'workflow',
  'workflow_ref',
  'workflow_sha',
  'head_ref',
  'base_ref',
  'event_name',
  'ref_type',
]

function claimsOf(world: World, definition: RunDefinition, job: Job): Record<string, unknown> {
  const { repository, ref } = definition
  const github = githubContext(world, definition, job.run, job.key)
  const environment = job.environment?.name
  const of = environment === undefined ? `ref:${ref}` : `environment:${environment.replaceAll(':', '%3A')}`
  return {
    ...Object.fromEntries(copied.map((name) => [name, github[name]])),
    sub: `repo:${fullName(repository)}:${of}`,
    repository_visibility: repository.private ? 'private' : 'public',
    ref_protected: String(github['ref_protected']),
    job_workflow_ref: github['workflow_ref'],
    job_workflow_sha: github['workflow_sha'],
    runner_environment: 'self-hosted',
    ...(environment !== undefined && { environment }),
  }
}
