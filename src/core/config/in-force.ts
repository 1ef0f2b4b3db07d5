import { z } from 'zod'
import { type Deciding, document, state } from '../decision.ts'
import { RepositoryRef } from '../product/schema.ts'
import { type ParsedConfiguration, parseConfiguration } from './parse.ts'

/** What is wrong with a configuration, as it stands in the log and in annotations. */
export const ConfigurationProblem = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  path: z.string().optional(),
  line: z.int().positive().optional(),
})

/** State: the newest configuration of the default branch that was not accepted; null once one was. `config/refused`. */
export const RefusedConfig = z.object({
  refused: z.object({ digest: z.string(), commit: z.string(), problems: z.array(ConfigurationProblem) }).nullable(),
})
export type RefusedConfig = z.infer<typeof RefusedConfig>

/** State: the newest configurations that pull requests proposed. `config/checks`. */
export const ConfigChecks = z.object({
  checks: z.array(z.object({ repository: RepositoryRef, commit: z.string(), problems: z.array(ConfigurationProblem) })),
})
export type ConfigChecks = z.infer<typeof ConfigChecks>

/** State: which configuration is in force. `config/current`. */
export const ConfigState = z.object({
  digest: z.string(),
  commit: z.string(),
  repository: RepositoryRef,
  acceptedAt: z.string(),
})
export type ConfigState = z.infer<typeof ConfigState>

export const CONFIG_KEY = 'config/current' as const
export const REFUSED_KEY = 'config/refused' as const
export const CHECKS_KEY = 'config/checks' as const

/** Where the ledger keeps the exact text of an accepted configuration. */
export const configDocument = (digest: string): string => `configs/${digest.replace(/^sha256:/, '')}.yml`

/**
 * The configuration in force, or null when none was ever accepted: tracking goes on, gates and sign-off stay closed.
 * The text comes from the ledger by digest, so that a decision can be made again under the same rules.
 */
export function* readConfiguration(): Deciding<ParsedConfiguration | null> {
  const current = yield* state<ConfigState>(CONFIG_KEY)
  return current ? yield* readPolicy(current.digest) : null
}

/** An accepted configuration by its digest; null when the ledger does not hold it unharmed: callers fail closed. */
export function* readPolicy(digest: string): Deciding<ParsedConfiguration | null> {
  const text = yield* document(configDocument(digest))
  if (text === undefined) return null
  const known = atHand.get(digest)
  if (known?.text === text) return known.parsed
  const parsed = parseConfiguration(text)
  if (!parsed.ok || parsed.value.digest !== digest) return null
  if (atHand.size >= POLICIES_AT_HAND) atHand.clear()
  atHand.set(digest, { text, parsed: parsed.value })
  return parsed.value
}

/** Nearly every decision reads the same few texts; reading one with hundreds of products takes longer than deciding. */
const atHand = new Map<string, { readonly text: string; readonly parsed: ParsedConfiguration }>()
const POLICIES_AT_HAND = 16
