import { z } from 'zod'
import { Bundle, Channel, Id, Override } from '../cohort/schema.ts'
import { ReleaseSalt } from '../cohort/state.ts'
import { Quarantine } from './schema.ts'

/** What one cohort is offered, as a file: for publishing without the App, such as to a directory without a network. */
export const ChannelSource = z.strictObject({
  schema: z.literal('ringmaster/channel-source/1'),
  channel: Channel,
  bundles: z.array(Bundle).max(5_000),
  /** Which bundles role signs them. */
  group: z.string().min(1).max(100).default('main'),
  overrides: z.array(Override).max(1_000).default([]),
  quarantine: Quarantine.nullable().default(null),
  movedTo: Id.nullable().default(null),
  entryRelease: Id.nullable().default(null),
  pollAfterSeconds: z.int().min(1).max(31_536_000).default(3_600),
  /** What buckets of new releases are hashed with, so that two places let the same devices in; drawn where left out. */
  salts: z.array(ReleaseSalt).max(5_000).default([]),
})
export type ChannelSource = z.infer<typeof ChannelSource>
