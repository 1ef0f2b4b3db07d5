import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { PAGES, type Page, proseOf } from './pages.ts'

interface Link {
  readonly from: string
  readonly target: string
}

const linksOf = (page: Page): Link[] =>
  [...proseOf(page).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => ({ from: page.path, target }))
    .filter(({ target }) => !/^[a-z]+:/.test(target))

/** The anchors of a page as GitHub makes them from its headings. */
function anchorsOf(page: Page): Set<string> {
  const headings = [...proseOf(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, title = '']) => title)
  return new Set(
    headings.map((title) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

const links = PAGES.flatMap(linksOf)
const rows = links.map((link) => [`${link.from} → ${link.target}`, link] as const)

describe('the pages', () => {
  it('link to each other', () => {
    expect(links.length).toBeGreaterThan(60)
  })

  it.each(rows)('lead somewhere: %s', (_name, { from, target }) => {
    const [file = '', anchor] = target.split('#')
    const path = file === '' ? from : normalize(join(dirname(from), file))
    expect(existsSync(path)).toBe(true)
    if (anchor === undefined) return
    const page = PAGES.find((entry) => entry.path === path)
    expect(page && [...anchorsOf(page)]).toContain(anchor)
  })

  it('can all be reached from the README', () => {
    const reached = new Set(['README.md'])
    for (const path of reached) {
      for (const { from, target } of links) {
        if (from === path) reached.add(normalize(join(dirname(from), target.split('#')[0] ?? '')))
      }
    }
    expect(PAGES.map((page) => page.path).filter((path) => !reached.has(path))).toEqual([])
  })
})
