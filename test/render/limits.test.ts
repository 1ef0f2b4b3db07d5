import { describe, expect, it } from '@jest/globals'
import type { Answer } from '../../src/core/command/answer.ts'
import { renderReply } from '../../src/render/answer.ts'
import { renderGate } from '../../src/render/gate.ts'
import { marker } from '../../src/render/output.ts'
import { proposalTitle, renderProposal } from '../../src/render/proposal.ts'
import { renderBoard } from '../../src/render/release.ts'
import { renderSignoff } from '../../src/render/signoff.ts'
import { escapeMarkdown, fitted, foldLines } from '../../src/render/text.ts'
import { AT, board, configuration, DIGEST, gate, release, replyTo, SHA, signoff } from './built.ts'
import { seenIn } from './reader.ts'

const COMMENT = 65_536
const GATE = 1_024
const ANCHOR = `1000000000:${DIGEST}`
const mark = `\n\n${marker('r1234567890/proposal-end')}`
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

/** The signs that grow most when they are made harmless. */
const TEXTS = [
  ['ordinary names', (index: number) => `service-${index}`],
  ['names of a hundred dollars', (index: number) => `${index}${'$'.repeat(97)}`],
  ['names of a hundred backticks', (index: number) => `${index}${'`'.repeat(97)}`],
  ['names of people', (index: number) => `${index}${'👩‍🚀'.repeat(19)}`],
] as const

describe.each(TEXTS)('with 500 products, 30 environments and %s', (_, name) => {
  const items = times(500, (index) => ({ product: name(index), version: `1.0.${index}`, sha: SHA }))
  const environments = times(30, (index) => name(index))
  const rings = [{ ring: '4', label: 'production', environments, cohorts: [] }]
  const steps = times(200, (index) => ({ id: `step-${index}`, text: name(index) }))
  const many = release({
    title: name(7).repeat(3),
    items,
    steps: steps.map(({ id }) => ({ id, by: { login: 'ann', id: 1 }, at: AT, evidence: name(1) })),
    proposal: { number: 900, url: '', head: SHA, headDigest: DIGEST, author: 'x', contents: [], merged: false },
  })
  const boards = new Map(
    items.map(({ product, version }) => {
      const { cells } = board(product, version, 'x', `https://ci.test/${'r'.repeat(400)}`)
      return [
        product,
        { product, cells: environments.flatMap((environment) => cells.map((cell) => ({ ...cell, environment }))) },
      ]
    }),
  )

  it('the board fits a comment and keeps its title, its checklist, and what comes next', () => {
    const body = renderBoard(many, configuration({ rings, checklist: steps }), boards, true)
    expect(`${body}${mark}`.length).toBeLessThanOrEqual(COMMENT)
    const seen = seenIn(body)
    expect(seen.text).toContain('Next: the parties approve the proposal')
    expect(seen.text).toContain('200 of 200')
    expect(seen.text).toMatch(/and \d+ more/)
    expect(body).toContain('#900')
    expect(seen.html).toEqual([])
    expect(seen.shape.split('table(').length).toBe(2)
  })

  it('the proposal fits and says what an approval means', () => {
    const body = renderProposal(many)
    expect(`${body}${mark}`.length).toBeLessThanOrEqual(COMMENT)
    expect(seenIn(body).text).toContain('Approving this pull request signs this content')
    expect(proposalTitle(many).length).toBeLessThanOrEqual(255)
  })

  it('the proposal holds nothing that a narrow screen pushes aside: no table, and no word that is long of itself', () => {
    const sha = 'c0ffee'.repeat(7).slice(0, 40)
    const body = renderProposal(release({ items: [{ product: 'user-service', version: '1.2.3', sha }] }))
    expect(body).toContain(`- user-service \`1.2.3\`, commit \`${sha.slice(0, 12)}\``)
    expect(body).not.toMatch(/^\|/m)
    const words = body.replace(/sha256:[0-9a-f]{64}/, '').split(/\s+/)
    expect(Math.max(...words.map((word) => word.length))).toBeLessThan(24)
  })

  it.each(['waiting', 'approved'] as const)('the answer of a gate that is %s fits with its marker', (verdict) => {
    const blockers = items.map(({ product }) => ({
      code: 'previous-ring' as const,
      message: `"${product}" is not there`,
      hint: `Deploy it to ${product} first.`,
    }))
    const comment = renderGate(gate({ verdict, items, blockers, environment: name(3) }), ANCHOR, true)
    expect(`${comment}\n\n${marker(`gate/${'0'.repeat(24)}`)}`.length).toBeLessThanOrEqual(GATE)
    expect(comment).toMatch(/^(Approved|Waiting): .*and \d+ more/)
    expect(comment).toContain(`Log head \`${ANCHOR}\``)
    if (verdict === 'waiting') expect(comment).toMatch(/- \*\*previous-ring\*\*: [\s\S]*\n- _and \d+ more_/)
  })

  it('a reply to twenty commands that were refused for 500 reasons each fits, and answers every one', () => {
    const refused: Answer = {
      code: 'refused',
      values: [],
      problems: items.map(({ product }) => ({
        code: 'not-live',
        message: `expected "${product}" live`,
        hint: product,
      })),
    }
    const body = renderReply(
      replyTo(
        times(20, () => refused),
        name(2),
      ),
    )
    expect(`${body}${mark}`.length).toBeLessThanOrEqual(COMMENT)
    expect(body.split('❌').length - 1).toBeGreaterThanOrEqual(20)
    expect(body.match(/_and \d+ more_/g)).toHaveLength(20)
  })

  it('the sign-off fits a check run and names the content', () => {
    const logins = times(20, name)
    const record = signoff({
      parties: times(20, (index) => ({
        party: name(index),
        optional: false,
        seats: 20,
        filledBy: logins,
        couldFill: logins,
      })),
      problems: times(500, name),
      vetoes: times(500, name),
      ignored: times(500, (index) => ({ login: name(index), reviewId: index, code: 'x', why: name(index) })),
    })
    const summary = renderSignoff(release({ signoff: record }), ANCHOR, true)
    expect(summary.length).toBeLessThanOrEqual(65_535)
    expect(summary).toContain(`Content \`${DIGEST}\``)
    expect(summary).toContain('**Unprotected log:**')
  })
})

describe('folding lines', () => {
  it.each<[string, string[], number, string[]]>([
    ['keeps what fits', ['a', 'b'], 3, ['a', 'b']],
    ['says how many are left out', ['a'.repeat(20), 'b'.repeat(40), 'c'], 50, ['a'.repeat(20), '_and 2 more_']],
    ['says so when none fits', ['a'.repeat(100)], 50, ['_and 1 more_']],
    ['keeps nothing of nothing', [], 0, []],
  ])('%s', (_, lines, length, expected) => {
    expect(foldLines(lines, length)).toEqual(expected)
  })

  it('fits a text to the length of its rendering', () => {
    expect(fitted('$$$$', escapeMarkdown, 100)).toBe('<span>$</span>'.repeat(4))
    expect(fitted('$'.repeat(100), escapeMarkdown, 30)).toBe(`${'<span>$</span>'.repeat(2)}…`)
    expect(fitted('words', escapeMarkdown, 3)).toBe('wo…')
  })
})
