import { beforeAll, describe, expect, it } from '@jest/globals'
import { ANSWER_CODES, type Answer } from '../../src/core/command/answer.ts'
import { settle } from '../../src/core/decision.ts'
import { OPEN_KEY } from '../../src/core/release/open.ts'
import { renderReply } from '../../src/render/answer.ts'
import { desiredOutputs } from '../../src/render/desired.ts'
import { renderGate } from '../../src/render/gate.ts'
import { marker, markerIn } from '../../src/render/output.ts'
import { proposalTitle, renderProposal } from '../../src/render/proposal.ts'
import { refusalCheck } from '../../src/render/refusal.ts'
import { renderBoard } from '../../src/render/release.ts'
import { renderSignoff, signoffTitle } from '../../src/render/signoff.ts'
import { AT, board, configuration, DIGEST, gate, release, replyTo, SHA, signoff } from './built.ts'
import { HOSTILE, plain, type Seen, seenIn } from './reader.ts'

const boards = (text: string, environment: string) =>
  new Map([[text, board(text, '1.2.3', environment, 'https://ci.test/1')]])
const item = (product: string, version = '1.2.3') => ({ product, version, sha: SHA })
const party = (text: string) => ({ party: text, optional: false, seats: 2, filledBy: [text], couldFill: [text] })
const refusal = (text: string): Answer => ({
  code: 'refused',
  values: [],
  problems: [{ code: 'x', message: text, hint: text }],
})
const alarmBody = (message: string): string => {
  const open = {
    releases: [],
    ending: [],
    gates: [],
    replies: [],
    alarms: [{ alarm: 'a', code: 'broken', message, raisedAt: AT, isOpen: true }],
  }
  const step = settle(
    () =>
      desiredOutputs(OPEN_KEY, {
        releaseRepository: { id: 77, fullName: 'acme/releases' },
        head: { seq: 4711, digest: DIGEST },
        unprotected: false,
      }),
    {
      states: new Map([[OPEN_KEY, open]]),
      documents: new Map(),
      facts: new Map(),
    },
  )
  const output = step.kind === 'settled' ? step.value[0] : undefined
  return output?.kind === 'alarm' ? output.body : ''
}
const refusalSummary = (text: string): string => {
  const repository = { id: 78, fullName: 'acme/platform' }
  const of = { kind: 'deployment', product: text, version: text, environment: text } as const
  const refusal = { of, code: text, message: text, hint: text, url: text, at: AT, repository }
  const output = refusalCheck('refused/x', { sha: SHA, repository }, [refusal])
  return output.kind === 'check-run' ? output.summary : ''
}
const renderOn = (more: Parameters<typeof release>[0]) => renderBoard(release(more), configuration(), new Map(), true)

/** Every place where text from outside comes into what we write; `short` ones cut it. */
const PLACES: readonly (readonly [string, (text: string) => string, 'whole' | 'cut'])[] = [
  ['the title of a release', (text) => renderOn({ title: text }), 'whole'],
  ['the reason of its end', (text) => renderOn({ status: 'cancelled', endReason: text }), 'whole'],
  ['a login', (text) => renderOn({ manager: { login: text, id: 1 } }), 'whole'],
  ['a product', (text) => renderOn({ items: [item(text)] }), 'whole'],
  ['a version', (text) => renderOn({ items: [item('api', text)] }), 'whole'],
  ['a party that is missing', (text) => renderOn({ signoff: signoff({ parties: [party(text)] }) }), 'whole'],
  [
    'an environment',
    (text) =>
      renderBoard(
        release(),
        configuration(),
        new Map([['api', board('api', '1.2.3', text, 'https://ci.test/1')]]),
        false,
      ),
    'cut',
  ],
  [
    'a step of the checklist',
    (text) => renderBoard(release(), configuration({ checklist: [{ id: 'step', text }] }), new Map(), false),
    'whole',
  ],
  [
    'the evidence of a step',
    (text) =>
      renderBoard(
        release({ steps: [{ id: 'step', by: { login: 'ann', id: 1 }, at: AT, evidence: text }] }),
        configuration({ checklist: [{ id: 'step', text: 'Do it' }] }),
        new Map(),
        false,
      ),
    'cut',
  ],
  ['a proposal’s title in its body', (text) => renderProposal(release({ title: text })), 'whole'],
  ['a product of a proposal', (text) => renderProposal(release({ items: [item(text)] })), 'whole'],
  ['a version of a proposal', (text) => renderProposal(release({ items: [item('api', text)] })), 'whole'],
  [
    'the parties of the sign-off',
    (text) => renderSignoff(release({ signoff: signoff({ parties: [party(text)] }) }), DIGEST, false),
    'whole',
  ],
  ['who objected', (text) => renderSignoff(release({ signoff: signoff({ vetoes: [text] }) }), DIGEST, true), 'whole'],
  [
    'what does not count',
    (text) =>
      renderSignoff(
        release({
          signoff: signoff({ ignored: [{ login: text, reviewId: 1, code: 'x', why: text }], problems: [text] }),
        }),
        DIGEST,
        true,
      ),
    'whole',
  ],
  ['what a job deploys', (text) => renderGate(gate({ items: [item(text)] }), DIGEST, false), 'cut'],
  ['the environment of a gate', (text) => renderGate(gate({ environment: text }), DIGEST, false), 'cut'],
  [
    'a blocker',
    (text) => renderGate(gate({ blockers: [{ code: 'wrong-commit', message: text, hint: text }] }), DIGEST, false),
    'cut',
  ],
  ['what an alarm says', alarmBody, 'whole'],
  ['why a record was refused', refusalSummary, 'cut'],
  ['why a command was refused', (text) => renderReply(replyTo([refusal(text)])), 'whole'],
  ['a line of the status', (text) => renderReply(replyTo([{ code: 'status', values: [text], problems: [] }])), 'whole'],
  ['a line of the help', (text) => renderReply(replyTo([{ code: 'help', values: [text], problems: [] }])), 'whole'],
  ['who is answered', (text) => renderReply(replyTo([refusal('no')], text)), 'cut'],
  ['the command that is answered', (text) => renderReply(replyTo([refusal('no')], 'ann', text)), 'cut'],
  ...ANSWER_CODES.filter((code) => !['refused', 'help', 'status'].includes(code)).map(
    (code) =>
      [
        `the answer ${code}`,
        (text: string) => renderReply(replyTo([{ code, values: Array(8).fill(text), problems: [] }])),
        'cut',
      ] as const,
  ),
]

describe.each(PLACES)('%s', (_, render, room) => {
  let innocent: Seen
  beforeAll(() => {
    innocent = seenIn(render('word'))
  })

  it.each(HOSTILE)('shows %s as nothing but text', (__, text) => {
    const markdown = render(text)
    const seen = seenIn(markdown)
    if (room === 'whole' && innocent.text.includes('word')) expect(seen.text).toContain(plain(text))
    expect(seen.html).toEqual([])
    expect(seen.links).toEqual(innocent.links)
    expect(seen.mentions).toEqual([])
    expect(seen.references).toEqual(innocent.references)
    expect(seen.shape).toBe(innocent.shape)
    expect(markerIn(`${markdown}\n\n${marker('r1/ours')}`)).toBe('r1/ours')
  })
})

describe('the plain titles', () => {
  it.each(HOSTILE)('of a proposal and a check run keep to one line and their length with %s', (_, text) => {
    const many = Array.from({ length: 20 }, () => party(text))
    const titles = [
      proposalTitle(release({ title: text })),
      signoffTitle(signoff({ parties: many })),
      signoffTitle(signoff({ status: 'vetoed', vetoes: Array.from({ length: 40 }, () => text) })),
    ]
    for (const title of titles) {
      expect(title.length).toBeLessThanOrEqual(255)
      expect(title).not.toMatch(/\p{Cs}/u)
    }
    expect(titles[0]).not.toMatch(/[\n\r@]/)
  })
})

describe('a link of a cell', () => {
  const cell = (url: string) =>
    seenIn(
      renderBoard(
        release(),
        configuration(),
        boards('api', 'production').set('api', board('api', '1.2.3', 'production', url)),
        false,
      ),
    )

  it('leads to the run', () => {
    expect(cell('https://ci.test/run/1?x=y#z').links).toEqual(['https://ci.test/run/1?x=y#z'])
  })

  it.each([
    'javascript:alert(1)',
    'https://ci.test/) @mallory [x](https://evil.test',
    'https://ci.test/|@mallory|',
    'https://ci.test/\\',
    'https://ci.test/`a`b`',
    'https://ci.test/<b>',
    'https://ci.test/ "title',
    'https://ci.test/\n\n# x',
    `https://ci.test/${'x'.repeat(2_000)}`,
    'data:text/html,x',
    '',
  ])('is left out for %j', (url) => {
    expect(cell(url)).toMatchObject({ links: [], mentions: [], html: [] })
    expect(cell(url).text).toContain('live')
  })
})
