import type { Notes } from '../core/version/notes.ts'
import { type ProductNotes, renderReleaseNotes } from './notes.ts'
import { codeSpan, foldLines, MAX_BODY } from './text.ts'

/** What could be read of one version: its notes for the audiences that may have them, or why there are none. */
export interface ReadNotes {
  readonly product: string
  readonly version: string
  /** The page of its repository. */
  readonly url: string
  /** Null where others than the team read the comment. */
  readonly internal: Notes | null
  /** Without a way into the repository. */
  readonly external: Notes | null
  readonly untold: Untold | null
}

export type Untold = 'unconfigured' | 'unreadable' | 'too-many' | 'uncounted' | 'kept'

const WHY = {
  unconfigured: 'the configuration that the release was opened under does not say where its commits are',
  unreadable: 'its commits could not be read: look whether the App is installed there',
  'too-many':
    'more commits or tags than are looked at here: ask `ringmaster notes` or the command `notes` of the Action',
  uncounted: 'its scheme has no order that says where its commits begin',
  kept: 'others than the team may read this issue, and its repository is not public',
} as const satisfies Record<Untold, string>

/** What customers may read has its room whatever the team is told. */
const CUSTOMERS_ROOM = 20_000
const WHY_ROOM = 5_000

/** What the versions of a release change: for the team, and folded below it what customers may read. */
export function renderReleaseNotesComment(read: readonly ReadNotes[]): string {
  const internal = read.flatMap((one) => (one.internal === null ? [] : [{ ...one, notes: one.internal }]))
  const external = read.flatMap((one) => (one.external === null ? [] : [{ ...one, notes: one.external }]))
  const customers = markdownOf(
    external.map((one) => ({ ...one, repository: null })),
    CUSTOMERS_ROOM,
  )
  const why = read.flatMap(({ product, version, untold }) =>
    untold === null ? [] : [`- ${codeSpan(`${product}@${version}`)}: ${WHY[untold]}`],
  )
  const team = markdownOf(
    internal.map((one) => ({ ...one, repository: one.url })),
    MAX_BODY - CUSTOMERS_ROOM - WHY_ROOM - 500,
  )
  return [
    '# Release notes',
    ...(internal.length === 0
      ? [customers]
      : [team, `<details><summary>For customers</summary>\n\n${customers}\n\n</details>`]),
    ...(why.length === 0 ? [] : ['Not told:', foldLines(why, WHY_ROOM).join('\n')]),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

const markdownOf = (products: readonly ProductNotes[], room: number): string =>
  products.length === 0 ? '' : foldLines(renderReleaseNotes(products).split('\n'), room).join('\n')
