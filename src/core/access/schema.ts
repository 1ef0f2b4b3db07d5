import { z } from 'zod'
import { beginOf, endOf } from './term.ts'

/** The roles that a configuration can give, and nothing else: a role is what a person may do. */
export const ROLES = [
  'admin',
  'release_manager',
  'change_manager',
  'product',
  'developer',
  'sre',
  'qa',
  'security',
  'compliance',
  'billing',
  'viewer',
] as const
export const Role = z.enum(ROLES)
export type Role = z.infer<typeof Role>

/** GitHub's repository roles, weakest first: each holds what those before it hold. */
export const REPOSITORY_ROLES = ['read', 'triage', 'write', 'maintain', 'admin'] as const
export const RepositoryRole = z.enum(REPOSITORY_ROLES)
export type RepositoryRole = z.infer<typeof RepositoryRole>

const Moment = z
  .string()
  .max(40)
  .refine((text) => beginOf(text) !== undefined, { error: 'expected a day or an instant, such as 2026-11-20' })

/** Who has a role, and for how long: members of teams, people by login, or whoever has at least a role in the release repository. */
export const RoleBinding = z
  .strictObject({
    role: Role.describe('What these people may do.'),
    teams: z
      .array(z.string().regex(/^[A-Za-z0-9-]+\/[A-Za-z0-9_.-]+$/, 'expected organization/team-slug'))
      .max(50)
      .default([])
      .describe('Members of these teams have it.'),
    users: z.array(z.string().min(1).max(100)).max(200).default([]).describe('These people have it, by login.'),
    repository: RepositoryRole.optional().describe('Whoever has at least this role in the release repository has it.'),
    from: Moment.optional().describe('They have it from this day or instant on; at once when left out.'),
    until: Moment.optional().describe('To the end of this day, or to this instant; for good when left out.'),
  })
  .refine(
    ({ from, until }) => from === undefined || until === undefined || (beginOf(from) ?? 0) < (endOf(until) ?? 0),
    {
      path: ['until'],
      error: 'expected until behind from',
    },
  )
  .refine((binding) => binding.teams.length + binding.users.length > 0 || binding.repository !== undefined, {
    error: 'expected teams, users or a repository role, found none',
  })
export type RoleBinding = z.infer<typeof RoleBinding>

/** Who something is meant for: roles and teams, joined by all, any and not. At most 8 deep. */
export type Audience =
  | { readonly role: Role }
  | { readonly team: string }
  | { readonly all: readonly Audience[] }
  | { readonly any: readonly Audience[] }
  | { readonly not: Audience }

const EXPECTED_AUDIENCE = { error: 'expected a role, a team, or all, any or not of such, at most 8 deep' }

const Leaf: z.ZodType<Audience> = z
  .union(
    [
      z.strictObject({ role: Role }),
      z.strictObject({
        team: z.string().regex(/^[A-Za-z0-9-]+\/[A-Za-z0-9_.-]+$/, 'expected organization/team-slug'),
      }),
    ],
    EXPECTED_AUDIENCE,
  )
  .meta({ id: 'audience-leaf' })

/**
 * Built level by level, so that no configuration can nest without end. An empty list is no audience. Each level has a
 * name, so that a JSON Schema refers to it and does not write it out three times.
 */
const nested = (inner: z.ZodType<Audience>, _: unknown, level: number): z.ZodType<Audience> =>
  z
    .union(
      [
        Leaf,
        z.strictObject({ all: z.array(inner).min(1).max(50) }),
        z.strictObject({ any: z.array(inner).min(1).max(50) }),
        z.strictObject({ not: inner }),
      ],
      EXPECTED_AUDIENCE,
    )
    .meta({ id: `audience-${level + 1}` })

const MAX_AUDIENCE_DEPTH = 8
export const Audience: z.ZodType<Audience> = Array.from({ length: MAX_AUDIENCE_DEPTH }).reduce<z.ZodType<Audience>>(
  nested,
  Leaf,
)
