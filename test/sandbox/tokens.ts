import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import type { Identity } from './identity.ts'
import { Refusal } from './router.ts'
import type { Store } from './store.ts'

const lifetimeMs = 3_600_000

/** Tokens and who they stand for. Credentials age by the machine's clock, as their holders' do. */
export interface Tokens {
  mint(prefix: 'ghp' | 'ghs', identity: Identity, expires: boolean): { token: string; expiresAtMs: number }
  revoke(token: string): void
  find(token: string): Identity | undefined
}

export function createTokens(): Tokens {
  const known = new Map<string, { identity: Identity; expiresAtMs: number }>()
  const digest = (token: string) => createHash('sha256').update(token).digest('hex')
  return {
    mint(prefix, identity, expires) {
      const token = `${prefix}_${randomBytes(27).toString('base64url').replace(/[-_]/g, 'x')}`
      const expiresAtMs = expires ? Date.now() + lifetimeMs : Number.POSITIVE_INFINITY
      known.set(digest(token), { identity, expiresAtMs })
      return { token, expiresAtMs }
    },
    revoke: (token) => void known.delete(digest(token)),
    find(token) {
      const entry = known.get(digest(token))
      return entry && entry.expiresAtMs > Date.now() ? entry.identity : undefined
    },
  }
}

const badJwt = (message: string) => new Refusal(401, message)
const undecodable = 'A JSON web token could not be decoded'

/** Who an Authorization header stands for; refuses with 401 what GitHub refuses. */
export function identify(store: Store, tokens: Tokens, header: string | undefined): Identity {
  if (header === undefined || header === '') return { kind: 'anonymous' }
  const [scheme = '', credential = ''] = header.trim().split(/ +/)
  const token = scheme.toLowerCase() === 'basic' ? passwordOf(credential) : credential
  if (token.split('.').length === 3) return { kind: 'app', app: appOfJwt(store, token) }
  const identity = tokens.find(token)
  if (!identity) throw new Refusal(401, 'Bad credentials')
  if (identity.kind === 'installation' && !store.installations.has(identity.installation.id)) {
    throw new Refusal(401, 'Bad credentials')
  }
  return identity
}

/** `git` and `curl -u` send `user:token`; a token may also stand as the user. */
function passwordOf(credential: string): string {
  const [user = '', password = ''] = Buffer.from(credential, 'base64').toString().split(':')
  return password === '' || password === 'x-oauth-basic' ? user : password
}

function appOfJwt(store: Store, token: string) {
  const [head = '', claims = '', signature = ''] = token.split('.')
  const payload = readJson(claims)
  const algorithm = readJson(head)?.['alg']
  if (!payload || algorithm !== 'RS256') throw badJwt(undecodable)
  const issuer = String(payload['iss'])
  const app = [...store.apps.values()].find((one) => String(one.id) === issuer || one.clientId === issuer)
  if (!app) throw new Refusal(404, 'Integration not found')
  const signed = Buffer.from(`${head}.${claims}`)
  if (!verify('RSA-SHA256', signed, createPublicKey(app.publicKey), Buffer.from(signature, 'base64url'))) {
    throw badJwt(undecodable)
  }
  const nowSeconds = Date.now() / 1000
  const [issued, expires] = [Number(payload['iat']), Number(payload['exp'])]
  if (!(expires > nowSeconds)) {
    throw badJwt(
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    )
  }
  if (expires > nowSeconds + 660) throw badJwt("'Expiration time' claim ('exp') is too far in the future")
  if (!(issued <= nowSeconds + 60)) {
    throw badJwt("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
  }
  return app
}

function readJson(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
