import { isScheduled } from './channel.ts'
import type { ChannelEffect, EffectMove } from './effect-schema.ts'
import type { Channel, ChannelRelease, DeclaredPhase } from './schema.ts'
import { percentText, shareThreshold } from './threshold.ts'

const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`

function moveText({ from, before, after, devices }: EffectMove, { basis, enrolled }: ChannelEffect): string {
  const who =
    basis === 'versions'
      ? `devices on ${from}`
      : basis === 'roster'
        ? `${devices} of ${counted(enrolled ?? 0, 'enrolled device')}, where they run ${from}`
        : `${counted(devices, 'device')} ${from}`
  return `${who} → ${after ?? 'no update'} now${before === null ? '' : `, ${before} until now`}`
}

const BASIS = {
  reports: 'counted by what devices have reported',
  roster: 'no device has reported what it runs, so everybody on the roster was tried on each version that is known',
  versions: 'the cohort keeps no roster, so nobody was counted: the versions that are known were tried',
} as const satisfies Record<ChannelEffect['basis'], string>

/** Who moves where, in lines of plain text: the moves, what they add up to, what is permitted, and every finding. */
export function effectLines(effect: ChannelEffect): string[] {
  const { moves, downgrades, stranded, tally, findings, basis, targets, cut } = effect
  return [
    ...(moves.length === 0 ? ['no device is offered anything else than before'] : []),
    ...moves.map((move) => moveText(move, effect)),
    `${counted(downgrades, 'downgrade')}, ${stranded} stranded (${BASIS[basis]})`,
    ...(targets === undefined
      ? []
      : [`nobody has said who is of which target, so each was tried for ${targets.join(', ')} and for all others`]),
    ...(cut === undefined ? [] : [`of ${cut.known} known versions the newest ${cut.tried} were tried`]),
    ...(tally === null
      ? []
      : [`permissions of the latest release: ${tally.permitted} of ${tally.enrolled} enrolled, ${tally.left} left`]),
    ...findings.map(({ severity, code, message }) => `${severity}: ${code}: ${message}`),
  ]
}

/** Whom a phase lets in, in a few words. */
export function phaseText(phase: DeclaredPhase): string {
  const beside = 'tags' in phase && phase.kind !== 'tags' && phase.tags ? ` and tags ${phase.tags.join(', ')}` : ''
  switch (phase.kind) {
    case 'everybody':
      return 'everybody'
    case 'tags':
      return `tags ${phase.tags.join(', ')}`
    case 'share':
      return `${percentText(shareThreshold(phase.share) ?? 0n)} %${beside}`
    case 'count':
      return `${counted(phase.count, 'device')}${beside}`
    case 'ramp':
      return `ramp ${phase.from} to ${phase.to}${beside}`
  }
}

function statusText(release: ChannelRelease, now: string): string {
  if (release.disabled) return 'disabled'
  if (release.phase.halted) return `halted at ${phaseText(release.phase)}`
  return isScheduled(release, now) ? `from ${release.schedule}` : phaseText(release.phase)
}

/** One release of a picture: what it is called, how it stands, and the place of the one it leads to. */
export interface PictureRow {
  readonly label: string
  readonly status: string
  readonly next: number | null
  readonly required: boolean
}

const SHOWN = 12
const LABEL_LENGTH = 60

/** The newest releases of a channel as rows of a picture; where one leads to another that is not shown, its next is null. */
export function pictureRows({ releases }: Channel, now: string): PictureRow[] {
  const shown = releases.slice(-SHOWN)
  const places = new Map(shown.map(({ id }, at) => [id, at]))
  return shown.map((release) => ({
    label: (release.version ?? release.id).slice(0, LABEL_LENGTH),
    status: statusText(release, now).slice(0, LABEL_LENGTH),
    next: release.next === null ? null : (places.get(release.next) ?? null),
    required: release.required,
  }))
}
