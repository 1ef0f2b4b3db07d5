import { isScheduled } from './channel.ts'
import { fateReader } from './fate.ts'
import { reportOf } from './report-of.ts'
import type { Channel, ChannelRelease } from './schema.ts'

/**
 * Releases that a change leaves out though devices may stand on them, and that nothing in the channel is above of: who
 * runs one is offered nothing from then on. One that was scheduled for later has reached nobody.
 */
export function leftBehind(before: Channel, after: Channel, now: string): readonly ChannelRelease[] {
  const kept = new Set(after.releases.map(({ id }) => id))
  const gone = before.releases.filter((release) => !kept.has(release.id) && !isScheduled(release, now))
  if (gone.length === 0) return []
  const fate = fateReader(after)
  return gone.filter((release) => fate({ tags: [], quarantined: false }, reportOf(release)).kind === 'ahead')
}
