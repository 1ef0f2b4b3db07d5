import { z } from 'zod'

export const PresetName = z.enum(['ringmaster', 'angular', 'conventionalcommits', 'release-please'])
export type PresetName = z.infer<typeof PresetName>

/** One rule of a team: it is tried before the preset's own. */
export const BumpRule = z.strictObject({
  type: z.string().min(1).max(200).describe('commit type; `*`, `**`, `?` and `{a,b}` are wildcards'),
  scope: z.string().min(1).max(200).optional().describe('scope; the same wildcards; absent: any scope, or none'),
  bump: z.enum(['none', 'patch', 'minor', 'major']),
})
export type BumpRule = z.infer<typeof BumpRule>

/** What versions below 1.0.0 do where the preset would choose otherwise. */
export const PreMajor = z.strictObject({
  breaking: z.enum(['minor', 'major']).optional().describe('What a breaking change asks for below 1.0.0.'),
  feature: z.enum(['patch', 'minor']).optional().describe('What a feature asks for below 1.0.0.'),
})
export type PreMajor = z.infer<typeof PreMajor>

/** How commits become a version: a preset and what a team changes of it. */
export const BumpConfig = z.strictObject({
  preset: PresetName,
  rules: z.array(BumpRule).max(200).optional(),
  visibleTypes: z.array(z.string().min(1).max(200)).max(200).optional().describe('types that make a release'),
  preMajor: PreMajor.optional(),
})
export type BumpConfig = z.infer<typeof BumpConfig>

/** A commit as git has it; `files` only where paths matter. */
export const Commit = z.strictObject({
  sha: z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/, 'expected 40 or 64 hexadecimal digits'),
  message: z.string(),
})
export type Commit = z.infer<typeof Commit>
