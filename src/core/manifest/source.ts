import { z } from 'zod'
import { Bundle, Channel, Id, Override } from '../cohort/schema.ts'
import { ReleaseSalt } from '../cohort/state.ts'
import { Quarantine } from './schema.ts'

/** What one cohort is offered, as a file: for publishing without the App, such as to a directory without a network. */
export const ChannelSource = z.strictObject({
  schema: z.literal('ringmaster/channel-source/1'),
  channel: Channel.describe('The releases of the cohort.'),
  bundles: z.array(Bundle).max(5_000).describe('Every bundle that a release or an override names, as it was signed.'),
  group: z.string().min(1).max(100).default('main').describe('Which bundles role signs them.'),
  overrides: z
    .array(Override)
    .max(1_000)
    .default([])
    .describe('Bundles forced on chosen devices, whatever the channel says.'),
  quarantine: Quarantine.nullable().default(null).describe('Devices that are offered nothing.'),
  movedTo: Id.nullable().default(null).describe('The cohort that the devices go to.'),
  entryRelease: Id.nullable().default(null).describe('The release for devices that cannot tell what they run.'),
  pollAfterSeconds: z.int().min(1).max(31_536_000).default(3_600).describe('How long devices wait between two polls.'),
  salts: z
    .array(ReleaseSalt)
    .max(5_000)
    .default([])
    .describe(
      'What buckets of new releases are hashed with, so that two places let the same devices in; drawn where left out.',
    ),
})
export type ChannelSource = z.infer<typeof ChannelSource>
