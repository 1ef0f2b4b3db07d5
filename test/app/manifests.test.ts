import { beforeEach, describe, expect, it } from '@jest/globals'
import { createManifests, type Manifests } from '../../src/app/manifests.ts'
import type { ViewsPlan } from '../../src/core/config/views.ts'
import type { Reminder } from '../../src/core/manifest/reminders.ts'
import type { Request } from '../../src/core/request.ts'
import type { ClosedView } from '../../src/publish/publish-views.ts'
import type { Renewal } from '../../src/publish/publisher.ts'
import type { OutputOf } from '../../src/render/output.ts'

let asked: Request[] = []
let broken: string | null = null
const NOTHING: Renewal = { renewed: false, due: [], reminders: [], arrival: Promise.resolve() }
let fresh = NOTHING
const PLAN: ViewsPlan = { cohorts: [{ cohort: 'eu', checksums: true, graphTargets: [], tally: false }], rings: [] }
let shown: ViewsPlan[] = []
let closed: readonly ClosedView[] = []
let viewTrouble: string | null = null
let logged: string[] = []
let now = '2026-11-20T10:00:00Z'
let looks = 0
let manifests: Manifests

beforeEach(() => {
  asked = []
  shown = []
  closed = []
  viewTrouble = null
  logged = []
  broken = null
  fresh = NOTHING
  now = '2026-11-20T10:00:00Z'
  looks = 0
  const guarded = async <T>(value: T): Promise<T> => {
    if (broken !== null) throw new Error(broken)
    return value
  }
  manifests = createManifests({
    publisher: {
      publish: () => guarded({ remote: '9' }),
      keepFresh: () => {
        looks += 1
        return guarded(fresh)
      },
      showViews: async (plan) => {
        if (viewTrouble !== null) throw new Error(viewTrouble)
        shown.push(plan)
        return closed
      },
      published: async () => undefined,
      areBundlesSigned: async () => false,
    },
    submit: async (request) => void asked.push(request),
    cohorts: async () => ['eu'],
    views: async () => PLAN,
    clock: () => now,
    log: { info: (data) => void logged.push(JSON.stringify(data)), error: () => {} },
  })
})

const output = { channel: { cohort: 'eu' } } as OutputOf<'manifest'>
const VIEWS = 'publication/views'
const told = (isMeant: (alarm: string) => boolean): string[] => {
  const found = asked.flatMap((request) =>
    request.kind === 'condition-seen' && isMeant(request.alarm)
      ? [`${request.holds ? '+' : '-'} ${request.alarm}`]
      : [],
  )
  asked = []
  return found
}
/** The alarms that were raised (+) and cleared (-) since the last look. */
const alarms = (): string[] => told((alarm) => alarm !== VIEWS)
const raised = (): string[] => alarms().filter((alarm) => alarm.startsWith('+'))
const later = (minutes: number): void => {
  now = new Date(Date.parse(now) + minutes * 60_000).toISOString()
}

describe('a manifest that does not come out', () => {
  it('raises an alarm once, is tried again, and clears it when it is out', async () => {
    broken = 'the disk is full'
    await expect(manifests.outlet(output)).rejects.toThrow('the disk is full')
    expect(asked).toMatchObject([{ code: 'publication-failed', holds: true }])
    expect(JSON.stringify(asked)).toContain('the disk is full')
    expect(alarms()).toEqual(['+ publication/eu'])
    await expect(manifests.outlet(output)).rejects.toThrow('the disk is full')
    expect(alarms()).toEqual([])
    broken = null
    expect(await manifests.outlet(output)).toEqual({ remote: '9' })
    expect(alarms()).toEqual(['- publication/eu'])
  })
})

describe('the views beside the manifests', () => {
  it('are made anew after each publication, and by the clock', async () => {
    await manifests.outlet(output)
    await manifests.tick()
    expect(shown).toEqual([PLAN, PLAN])
  })

  it('raise an alarm of their own when they cannot be written; the manifest is out all the same', async () => {
    viewTrouble = 'the disk is full'
    expect(await manifests.outlet(output)).toEqual({ remote: '9' })
    expect(JSON.stringify(asked)).toContain('views-failed')
    expect(told((alarm) => alarm === VIEWS)).toEqual(['+ publication/views'])
    viewTrouble = null
    await manifests.outlet(output)
    expect(told((alarm) => alarm === VIEWS)).toEqual(['- publication/views'])
  })

  it('that offer nothing are told with their reason, once for as long as it stays the same', async () => {
    const problems = [{ code: 'phase-not-carried', message: 'found a phase' }] as const
    closed = [{ path: 'views/cohorts/eu/SHA256SUMS', problems }]
    await manifests.outlet(output)
    await manifests.outlet(output)
    expect(logged).toEqual([expect.stringContaining('found a phase')])
  })
})

describe('what is published, by the clock', () => {
  it('is looked at every ten minutes', async () => {
    for (const minutes of [0, 1, 8, 1, 5, 5]) {
      later(minutes)
      await manifests.tick()
    }
    expect(looks).toBe(3)
  })

  it('raises an alarm when it cannot be renewed, and clears it when it can', async () => {
    broken = 'a file is gone'
    await manifests.tick()
    expect(alarms()).toEqual(['+ publication/freshness'])
    broken = null
    later(10)
    await manifests.tick()
    await manifests.idle()
    expect(alarms()).toEqual(['- publication/freshness'])
  })

  it('raises the alarm too when what was renewed does not arrive, and waits for that beside the sweep', async () => {
    let lose = (_: Error): void => {}
    fresh = { ...NOTHING, renewed: true, arrival: new Promise((_, reject) => (lose = reject)) }
    await manifests.tick()
    expect(alarms()).toEqual([])
    lose(new Error('the site was never built'))
    await manifests.idle()
    expect(JSON.stringify(asked)).toContain('the site was never built')
    expect(alarms()).toEqual(['+ publication/freshness'])
  })

  it('asks for every manifest that nears its end', async () => {
    fresh = { ...fresh, due: ['eu', 'us'] }
    await manifests.tick()
    expect(asked.filter(({ kind }) => kind === 'manifest-due')).toMatchObject([{ cohort: 'eu' }, { cohort: 'us' }])
  })

  it('reminds of an offline role at 90, 30 and 7 days, each with an issue of its own, until it was signed anew', async () => {
    const role = (urgency: Reminder['urgency'], daysLeft: number): Renewal['reminders'] => [
      { role: 'targets', version: 1, expiresAt: '2027-01-01T00:00:00Z', daysLeft, urgency, signedBy: 'offline' },
    ]
    const seen: string[][] = []
    for (const [urgency, days] of [
      ['none', 200],
      ['90-days', 80],
      ['30-days', 20],
      ['7-days', 5],
      ['none', 365],
    ] as const) {
      fresh = { ...fresh, reminders: role(urgency, days) }
      await manifests.tick()
      seen.push(raised())
      later(10)
    }
    expect(seen).toEqual([
      [],
      ['+ expiry/targets/90-days'],
      ['+ expiry/targets/30-days'],
      ['+ expiry/targets/7-days'],
      [],
    ])
  })
})
