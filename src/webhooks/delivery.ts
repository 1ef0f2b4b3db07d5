import { z } from 'zod'
import { Actor, type Source } from '../core/event.ts'
import { RepositoryRef } from '../core/product/schema.ts'
import type { ReleaseId } from '../core/release/schema.ts'
import type { Request } from '../core/request.ts'

/** A delivery as it came in, its signature already verified. `id` is the GUID, the same at a redelivery. */
export interface Delivery {
  readonly id: string
  readonly event: string
  readonly payload: unknown
  /** When it arrived, ISO 8601 UTC. */
  readonly receivedAt: string
}

/** What the translation has to know of the installation. */
export interface Installation {
  readonly releaseRepositoryId: number
  readonly appId: number
  readonly botLogin: string
}

/** One concern: which events it listens to, and the requests that a delivery of them makes. Pure. */
export interface Concern {
  readonly events: readonly string[]
  /** The actions of those events that it looks at; all of them where left out. */
  readonly actions?: readonly string[]
  toRequests(delivery: Delivery, installation: Installation): readonly Request[]
}

/** Only what is read is described; GitHub adds fields and values, and these let them pass. */
export const Id = z.int().positive()
export const User = z.object({ login: Actor.shape.login, id: Actor.shape.id, type: z.string().optional() })
export const Repository = z.object({
  id: RepositoryRef.shape.id,
  full_name: RepositoryRef.shape.fullName,
  default_branch: z.string().optional(),
  html_url: z.string().nullish(),
})

export const actorOf = (user: z.infer<typeof User> | null | undefined): Actor | null =>
  user ? { login: user.login, id: user.id } : null

export const repositoryOf = (repository: z.infer<typeof Repository>): RepositoryRef => ({
  id: repository.id,
  fullName: repository.full_name,
})

export const sourceOf = (delivery: Delivery, url?: string): Source => ({
  kind: 'webhook',
  delivery: delivery.id.slice(0, 100),
  ...(url === undefined ? {} : { url: url.slice(0, 500) }),
})

/** An instant in the ledger's form; GitHub's own time where it is one, else the time of arrival. */
export function instantOr(text: string | null | undefined, fallback: string): string {
  const ms = text ? Date.parse(text) : Number.NaN
  const instant = Number.isNaN(ms) ? '' : new Date(ms).toISOString()
  /** Years beyond 9999 have a sign before them, which no instant of the ledger has. */
  return /^\d/.test(instant) ? instant : fallback
}

/** The release of a proposal's branch, or null: the name only says which release to look at. */
export function releaseOfBranch(branch: string): ReleaseId | null {
  const found = /^ringmaster\/proposal-(r[1-9][0-9]{0,9})$/.exec(branch)
  return found?.[1] ?? null
}
