import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'
import {
  codeSpan,
  escapeMarkdown,
  fenced,
  isLogin,
  link,
  linkTo,
  markdownTable,
  truncate,
} from '../../src/render/text.ts'

const parse = (markdown: string) =>
  fromMarkdown(markdown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] })

const leaves = (node: Nodes): Nodes[] => ('children' in node ? node.children.flatMap(leaves) : [node])
const kinds = (node: Nodes): string[] => [node.type, ...('children' in node ? node.children.flatMap(kinds) : [])]

/** What a reader sees of inline Markdown; the only HTML allowed is ours. */
const shown = (node: Nodes): string =>
  leaves(node)
    .map((leaf) => {
      if (leaf.type === 'html' && /^<\/?(span|code)>$/.test(leaf.value)) return ''
      if (leaf.type === 'text' || leaf.type === 'inlineCode') return leaf.value
      throw new Error(`unexpected ${leaf.type}`)
    })
    .join('')
    .replaceAll('\u200b', '')

const awkward = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        ...'`*_~|<>[]()!#+-=.:/@$&\\{} \t\n1a',
        '&#64;',
        '<!--',
        '-->',
        'https://',
        'www.',
        '#1',
        'GH-1',
        '@ann',
        'a@b.co',
        '```',
        '1. ',
        '---',
        '\u202e',
        '\u200b',
      ),
      { maxLength: 20 },
    )
    .map((parts) => parts.join('')),
)

const plain = (text: string): string =>
  text.replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ').replace(/(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}]/gu, '\ufffd')

describe('text from outside as Markdown', () => {
  it('shows exactly that text, as nothing but text', () => {
    fc.assert(
      fc.property(awkward, (text) => {
        const tree = parse(escapeMarkdown(text))
        expect(shown(tree)).toBe(plain(text).trim())
        expect(new Set(kinds(tree))).not.toContain('link')
        expect(kinds(tree).every((kind) => ['root', 'paragraph', 'text', 'html'].includes(kind))).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('stays in its table cell', () => {
    fc.assert(
      fc.property(awkward, awkward, (one, other) => {
        const table = parse(markdownTable(['text', 'code'], [[escapeMarkdown(one), codeSpan(other)]]))
        const cells = kinds(table).filter((kind) => kind === 'tableCell')
        expect(table.children.map(({ type }) => type)).toEqual(['table'])
        expect(cells).toHaveLength(4)
      }),
      { numRuns: 1_000 },
    )
  })

  it.each([
    ['a mention', 'thanks @ann/team', /@(?=\w)/],
    ['a coded mention', '&#64;ann', /(?<!&amp;)#64/],
    ['an issue', 'closes #12 and a/b#13', /#(?=\d)/],
    ['an old-style issue', 'gh-12', /gh-(?=\d)/i],
    ['an address', 'see https://evil.example/x', /:\/\//],
    ['an address without scheme', 'www.evil.example', /www\./],
    ['a mail address', 'a@b.co', /@(?=\w)/],
  ])('breaks %s', (_, text, pattern) => {
    expect(text.replace('&#64;', '#64')).toMatch(/[@#:.-]/)
    expect(escapeMarkdown(text)).not.toMatch(pattern)
  })

  it('leaves ordinary words as they are', () => {
    expect(escapeMarkdown('fix(api): größer, 1.2.3 – ok!')).toBe('fix(api): größer, 1.2.3 – ok!')
  })
})

describe('text from outside as code', () => {
  it('shows exactly that text', () => {
    fc.assert(
      fc.property(
        awkward.filter((text) => plain(text).trim() !== ''),
        (text) => {
          expect(shown(parse(`x${codeSpan(text)}y`))).toBe(`x${plain(text)}y`)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['1.2.3', '`1.2.3`'],
    ['a`b', '<code>a&#96;b</code>'],
    ['a|b', '<code>a&#124;b</code>'],
    [' a', '<code> a</code>'],
    ['', '<code></code>'],
  ])('shows %j as %s', (text, expected) => {
    expect(codeSpan(text)).toBe(expected)
  })
})

describe('what leads elsewhere', () => {
  it.each([
    'https://github.com/acme/api/pull/7#pullrequestreview-1',
    'http://ghe.example:8080/acme/api/releases/tag/v1.0.0%2B1',
    'https://ci.example/run?id=1&attempt=2',
  ])('%s is a link, also as its own text', (url) => {
    expect(link('run', url)).toBe(`[run](${url})`)
    expect(linkTo(url)).toBe(`<${url}>`)
    for (const markdown of [link('run', url), linkTo(url)])
      expect(parse(markdown).children).toMatchObject([{ type: 'paragraph', children: [{ type: 'link', url }] }])
  })

  it.each([
    'javascript:alert(1)',
    'https://a.example/) [b](https://b.example',
    'https://a.example/|b',
    'https://a b',
    '',
  ])('%j is none, and ends nothing', (url) => {
    expect(link('run', url)).toBe('run')
    expect(linkTo(url)).toBe(codeSpan(url))
  })

  it('is a login that can be one', () => {
    expect(['ann', 'a-1', 'ann_acme', 'A'.repeat(39)].filter(isLogin)).toHaveLength(4)
    expect(
      ['', '-ann', 'acme/all', 'ann bob', 'dependabot[bot]', '_ann', 'ann_', 'a_b_c', 'A'.repeat(40)].filter(isLogin),
    ).toEqual([])
  })
})

describe('cutting text', () => {
  it('keeps to the length and cuts no character in two', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-composite' }), fc.nat(12), (text, length) => {
        const cut = truncate(text, length)
        expect(cut.length).toBeLessThanOrEqual(length)
        expect(cut).not.toMatch(/\p{Cs}/u)
        if (text.length <= length) expect(cut).toBe(text)
        else if (length > 0) expect(cut.endsWith('…')).toBe(true)
      }),
    )
  })
})

describe('a block of text', () => {
  it.each([
    ['plain text', 'a: 1', '```yaml\na: 1\n```'],
    ['text that ends its line', 'a: 1\n', '```yaml\na: 1\n```'],
    ['text with a fence of its own', '```\nx\n````', '`````yaml\n```\nx\n````\n`````'],
  ])('holds %s', (_, text, block) => {
    expect(fenced(text, 'yaml')).toBe(block)
  })
})
