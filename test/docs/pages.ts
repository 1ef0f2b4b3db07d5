import { readFileSync } from 'node:fs'
import { pagesOf } from '../../scripts/generated-files.ts'

export interface Page {
  readonly path: string
  readonly text: string
}

/** Every page that people read, with its path from the root of the project. */
export const PAGES: readonly Page[] = pagesOf('.').map((path) => ({ path, text: readFileSync(path, 'utf8') }))

export interface Fence extends Page {
  readonly language: string
  /** 1-based line of the first line inside. */
  readonly line: number
}

/** The fenced blocks of a page, in their order; indented ones (in lists) without their indentation. */
export function fencesOf(page: Page): Fence[] {
  return [...page.text.matchAll(/^( *)```([a-z]*)[^\n]*\n([\s\S]*?)^ *```$/gm)].map((match) => {
    const [, indent = '', language = '', body = ''] = match
    const text = body
      .split('\n')
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
      .join('\n')
    return { path: page.path, text, language, line: page.text.slice(0, match.index).split('\n').length + 1 }
  })
}

/** A page without its fenced blocks: what stands there is prose, tables and headings. */
export const proseOf = (page: Page): string => page.text.replace(/^( *)```[\s\S]*?^ *```$/gm, '')

/** The workflow of a page that begins so, as a reader copies it, with the owner filled in; what they build is beside the point. */
export function copiedWorkflow(path: string, beginning: string): string {
  const fences = PAGES.filter((page) => page.path === path).flatMap(fencesOf)
  const text = fences.find((fence) => fence.text.startsWith(beginning))?.text
  if (text === undefined) throw new Error(`expected a workflow in ${path} that begins with ${beginning}, found none`)
  return text.replaceAll('OWNER/', 'acme/').replaceAll(/run: make.*/g, 'run: echo done')
}
