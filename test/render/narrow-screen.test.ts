import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { renderProposal } from '../../src/render/proposal.ts'
import { renderBoard } from '../../src/render/release.ts'
import { AT, board, configuration, release, SHA, signoff } from './built.ts'

/** Debian's name of the browser; without one nothing can be laid out, and the tests of it are left out. */
const CHROMIUM = 'chromium'
const HAS_CHROMIUM = spawnSync(CHROMIUM, ['--version']).status === 0

/** A telephone that is held upright. */
const WIDTH = 360

/** What a comment on GitHub has around it and how its words break; its tables scroll by themselves. */
const STYLE = `
  body { margin: 0; font: 16px/1.5 sans-serif }
  main { margin: 16px; border: 1px solid; padding: 16px; overflow-wrap: break-word }
  code { font: 85% monospace; padding: .2em .4em; white-space: break-spaces }
  table { display: block; width: max-content; max-width: 100%; overflow: auto; border-spacing: 0 }
  td, th { padding: 6px 13px; border: 1px solid }
  ul { padding-left: 2em }`

/** What a narrow screen does to a page. */
interface Laid {
  /** How far the page can be scrolled aside. */
  readonly scrolls: number
  /** Text that ends beyond what is to be seen, tables left out: those can be scrolled. */
  readonly cut: readonly string[]
  /** How wide the widest text is: nothing where nothing was laid out. */
  readonly widest: number
}

/** Measures each frame of a page; runs in the browser. */
const MEASURE = `
  const laid = [...document.querySelectorAll('iframe')].map((frame) => {
    const page = frame.contentDocument
    const cut = []
    let widest = 0
    const texts = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT)
    while (texts.nextNode()) {
      const range = page.createRange()
      range.selectNodeContents(texts.currentNode)
      for (const box of range.getClientRects()) {
        widest = Math.max(widest, box.width)
        const isOut = box.right > ${WIDTH} || box.left < 0
        if (isOut && !texts.currentNode.parentElement.closest('table')) cut.push(texts.currentNode.data.slice(0, 60))
      }
    }
    return { scrolls: page.documentElement.scrollWidth - ${WIDTH}, cut, widest }
  })
  document.body.textContent = JSON.stringify(laid)`

const attribute = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;')

/** Lays pages out side by side, each as wide as the screen, and so high that no bar for scrolling takes of its width. */
function laidOut(pages: readonly string[]): Laid[] {
  const folder = mkdtempSync(join(tmpdir(), 'narrow-'))
  try {
    const frames = pages.map((page) => {
      const whole = `<!doctype html><meta charset="utf-8"><style>${STYLE}</style><main>${page}</main>`
      return `<iframe width="${WIDTH}" height="4000" style="border:0" srcdoc="${attribute(whole)}"></iframe>`
    })
    const file = join(folder, 'page.html')
    writeFileSync(
      file,
      `<!doctype html><meta charset="utf-8">${frames.join('')}<script>addEventListener('load', () => {${MEASURE}})</script>`,
    )
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--dump-dom', `--user-data-dir=${folder}/profile`]
    const { stdout } = spawnSync(CHROMIUM, [...flags, `file://${file}`], { encoding: 'utf8', timeout: 60_000 })
    const found = /<body>(\[.*\])<\/body>/s.exec(stdout)?.[1]
    if (found === undefined) throw new Error(`expected a page with what was measured, found ${stdout.slice(0, 500)}`)
    return JSON.parse(found.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')) as Laid[]
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

const html = (markdown: string): string =>
  micromark(markdown, { extensions: [gfm()], htmlExtensions: [gfmHtml()], allowDangerousHtml: true })

const environments = ['integration', 'staging', 'beta', 'pilot-customers', 'production']
const LONG = 'customer-identity-and-access-management-service-for-embedded-devices'
const items = [
  { product: 'api', version: '1.2.3', sha: SHA },
  { product: LONG, version: `2026.11.20-rc.1+build.${'9'.repeat(40)}`, sha: SHA },
  { product: 'x'.repeat(100), version: '1.0.0', sha: SHA },
  { product: 'خدمة المستخدم', version: '1.0.0', sha: SHA },
]
const full = release({
  title: `User Platform: ${LONG}`,
  items,
  proposal: { number: 900, url: '', head: SHA, headDigest: '', author: 'x', contents: [], merged: false },
  signoff: signoff({
    parties: [{ party: 'QA', optional: false, seats: 1, filledBy: [], couldFill: ['quinn'] }],
  }),
  steps: [
    { id: 'rollback-plan', by: { login: 'ann', id: 1 }, at: AT, evidence: `https://wiki.test/${'a'.repeat(200)}` },
  ],
})
const rings = [{ ring: '4', label: 'production', environments, cohorts: [] }]
const checklist = [{ id: 'rollback-plan', text: 'Prepare the rollback plan, and say where it is' }]
const boards = new Map(
  items.map(({ product, version }) => [product, board(product, version, 'production', 'https://ci.test/run')]),
)

const PAGES = {
  'the proposal': html(renderProposal(full)),
  'the board of a release': html(renderBoard(full, configuration({ rings, checklist }), boards, true)),
  'a word that does not break': `<p style="overflow-wrap: normal">${'x'.repeat(100)}</p>`,
  'a table that does not scroll': `<table style="max-width: none"><tr><td>${'x '.repeat(100)}</td></tr></table>`,
} as const

const there = HAS_CHROMIUM ? describe : describe.skip
there('on a telephone that is 360 pixels wide', () => {
  let laid: Record<string, Laid>
  beforeAll(() => {
    const found = laidOut(Object.values(PAGES))
    laid = Object.fromEntries(Object.keys(PAGES).map((name, index) => [name, found[index] as Laid]))
  }, 90_000)

  it.each(['the proposal', 'the board of a release'])(
    '%s is read without scrolling the page aside, and nothing is cut',
    (name) => {
      expect(laid[name]).toMatchObject({ scrolls: 0, cut: [] })
      expect(laid[name]?.widest).toBeGreaterThan(200)
    },
  )

  it('what is too wide would have been found', () => {
    expect(laid['a word that does not break']).toMatchObject({ cut: [expect.stringMatching(/^x+$/)] })
    expect(laid['a word that does not break']?.scrolls).toBeGreaterThan(100)
    expect(laid['a table that does not scroll']?.scrolls).toBeGreaterThan(100)
  })
})
