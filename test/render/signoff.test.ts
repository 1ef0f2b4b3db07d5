import { describe, expect, it } from '@jest/globals'
import type { SignoffRecord } from '../../src/core/release/schema.ts'
import { renderSignoff } from '../../src/render/signoff.ts'
import { fairShares, foldNames } from '../../src/render/text.ts'
import { DIGEST, release, signoff } from './built.ts'
import { seenIn } from './reader.ts'

/** GitHub takes 65,535 characters for the summary of a check run. */
const SUMMARY = 65_535

type Party = SignoffRecord['parties'][number]
const party = (more: Partial<Party> = {}): Party => ({
  party: 'QA',
  optional: false,
  seats: 1,
  filledBy: [],
  couldFill: ['quinn'],
  ...more,
})
const ignored = (login: string | null, why: string, reviewId = 1): SignoffRecord['ignored'][number] => ({
  login,
  reviewId,
  code: 'x',
  why,
})
const numbered = (count: number, name: string): string[] => Array.from({ length: count }, (_, index) => name + index)
const rendered = (more: Partial<SignoffRecord>): string =>
  renderSignoff(release({ signoff: signoff(more) }), `7:${DIGEST}`, false)

it('the check run of a sign-off names the team of a party that nobody could sign for, and of no other', () => {
  const parties = [party({ couldFill: [] }), party({ party: 'Legal', couldFill: [] }), party({ party: 'Dev' })]
  const teams = new Map([
    ['QA', 'acme/quality_team'],
    ['Dev', 'acme/dev'],
  ])
  const text = renderSignoff(release({ signoff: signoff({ parties }) }), `7:${DIGEST}`, false, teams)
  expect(text).toContain('| QA | 0 of 1 | — | 1 | nobody (team acme/quality\\_team) |')
  expect(text).toContain('| Legal | 0 of 1 | — | 1 | nobody |')
  expect(text).toContain('| Dev | 0 of 1 | — | 1 | quinn |')
})

describe('the check run of a sign-off says', () => {
  it.each<[string, Partial<SignoffRecord>, string[]]>([
    ['who could sign for a party', { parties: [party()] }, ['| QA | 0 of 1 | — | 1 | quinn |']],
    [
      'who signed, what is missing and who could still sign',
      { parties: [party({ seats: 3, filledBy: ['rob'], couldFill: ['quinn', 'sam'] })] },
      ['| QA | 1 of 3 | rob | 2 | quinn, sam |'],
    ],
    [
      'of a full party who signed, and asks nobody',
      { parties: [party({ filledBy: ['rob'], couldFill: ['quinn'] })] },
      ['| QA | 1 of 1 | rob | — | — |'],
    ],
    [
      'that nobody could fill a seat',
      { status: 'blocked', parties: [party({ couldFill: [] })], problems: ['QA has nobody who may sign'] },
      ['| QA | 0 of 1 | — | 1 | nobody |', '**Problems**', '- QA has nobody who may sign'],
    ],
    [
      'which party is optional',
      { parties: [party({ party: 'Legal', optional: true })] },
      ['| Legal (optional) | 0 of 1 | — | 1 | quinn |'],
    ],
    [
      'every party, in the order of the rules',
      { parties: numbered(20, 'party-').map((name) => party({ party: name })) },
      numbered(20, 'party-').map((name) => `| ${name} | 0 of 1 | — | 1 | quinn |`),
    ],
    [
      'all sixty people who could sign',
      { parties: [party({ couldFill: numbered(60, 'person-') })] },
      [`| QA | 0 of 1 | — | 1 | ${numbered(60, 'person-').join(', ')} |`],
    ],
    [
      'which approvals no longer count, and why',
      {
        ignored: [
          ignored('rob', 'it approved another content than the current one'),
          ignored('sam', 'it is older than approvals may be'),
          ignored('quinn', 'the same person reviewed again later'),
        ],
      },
      [
        '**Does not count**',
        '- rob: it approved another content than the current one',
        '- sam: it is older than approvals may be',
        '- quinn: the same person reviewed again later',
      ],
    ],
    [
      'once what holds of several reviews of a person',
      { ignored: [1, 2, 3].map((id) => ignored('rob', 'a comment is no opinion', id)) },
      ['- rob: a comment is no opinion (3 reviews)'],
    ],
    [
      'what an account said that is gone',
      { ignored: [ignored(null, 'the account no longer exists')] },
      ['- a deleted account: the account no longer exists'],
    ],
    [
      'what three hundred people said that does not count',
      { ignored: numbered(300, 'person-').map((login, id) => ignored(login, 'not a member of any party', id)) },
      numbered(300, 'person-').map((login) => `- ${login}: not a member of any party`),
    ],
    [
      'who objects, and what clears it',
      { status: 'vetoed', vetoes: ['sam'] },
      ['**Objections**', '- sam asked for changes: it clears when that person approves the current content'],
    ],
    [
      'the content that it is about',
      {},
      [`Content \`${DIGEST}\` under policy \`${DIGEST}\`, log head \`7:${DIGEST}\`.`],
    ],
  ])('%s', (_, given, lines) => {
    expect(rendered(given).split('\n')).toEqual(expect.arrayContaining(lines))
    expect(rendered(given)).not.toMatch(/and \d+ more/)
  })

  it('that the log is unprotected, and what others touched, to the fiftieth', () => {
    const interference = numbered(50, 'mallory-').map((by) => ({
      what: 'check-forged' as const,
      by,
      at: 'then',
      url: null,
    }))
    const { conduct } = release()
    const held = release({ signoff: signoff(), conduct: { ...conduct, interference } })
    const { text } = seenIn(renderSignoff(held, `7:${DIGEST}`, true))
    for (const { by } of interference) expect(text).toContain(`the App ${by} made a check run`)
    expect(text).toContain('Unprotected log: no ruleset guards the data branch.')
  })
})

describe('where GitHub has no room for all of it', () => {
  const crowd = numbered(5_000, 'a-person-with-a-rather-long-name-')
  const parties = [
    party({ party: 'Engineering', seats: 2, filledBy: ['eve'], couldFill: crowd }),
    party({ party: 'QA' }),
    party({ party: 'Product', couldFill: crowd }),
  ]
  const reviews = crowd.map((login, id) => ignored(login, 'not a member of any party', id))

  it.each<[string, Partial<SignoffRecord>]>([
    ['thousands who could sign', { parties }],
    ['thousands of reviews', { parties: [party({ filledBy: ['eve'] })], ignored: reviews }],
    ['thousands of both', { parties, ignored: reviews, vetoes: ['sam'], problems: ['one problem'] }],
  ])('%s are cut late, and it says how many are not shown', (_, given) => {
    const summary = rendered(given)
    expect(summary.length).toBeLessThanOrEqual(SUMMARY)
    expect(summary.length).toBeGreaterThan(SUMMARY - 3_000)
    expect(summary.split(`Content \`${DIGEST}\``)).toHaveLength(2)
    const shown = summary.match(/a-person-with-a-rather-long-name-\d+/g) ?? []
    const left = [...summary.matchAll(/_and (\d+) more_/g)].map((match) => Number(match[1]))
    const all = [...(given.parties ?? []).map(({ couldFill }) => couldFill), given.ignored ?? []].flat()
    const short = all.filter((one) => one === 'quinn').length
    expect(shown.length + left.reduce((sum, count) => sum + count, 0)).toBe(all.length - short)
  })

  it('what is short stays whole beside what is long', () => {
    const lines = rendered({ parties, ignored: reviews, vetoes: ['sam'], problems: ['one problem'] }).split('\n')
    expect(lines).toContain('| QA | 0 of 1 | — | 1 | quinn |')
    expect(lines).toContain('- sam asked for changes: it clears when that person approves the current content')
    expect(lines).toContain('- one problem')
    expect(lines.filter((line) => /^\| (Engineering|Product) \| .* more_ \|$/.test(line))).toHaveLength(2)
  })

  it.each<[string, number[], number, number[]]>([
    ['all that is wanted', [3, 5], 10, [3, 5]],
    ['the same to each where each wants more', [50, 60], 20, [10, 10]],
    ['to the largest what the small ones leave', [2, 60, 4], 20, [2, 14, 4]],
    ['nothing where there is nothing', [2, 3], -1, [0, 0]],
  ])('room is divided: %s', (_, wanted, room, shares) => {
    expect(fairShares(wanted, room)).toEqual(shares)
  })

  it.each<[string[], number, string]>([
    [['ann', 'bob'], 8, 'ann, bob'],
    [['a'.repeat(30), 'b'.repeat(30), 'c'], 60, `${'a'.repeat(30)}, _and 2 more_`],
    [['a'.repeat(30)], 10, '_and 1 more_'],
    [[], 0, ''],
  ])('names %# are cut between, never within', (names, length, expected) => {
    expect(foldNames(names, length)).toBe(expected)
  })
})
