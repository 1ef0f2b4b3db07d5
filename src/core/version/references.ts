/** An issue or pull request that a message names. */
export interface Reference {
  /** `owner/name`; null for the repository that the commit is in. */
  readonly repository: string | null
  readonly number: number
  /** Whether the message closes it. */
  readonly closes: boolean
}

const numbered = /#([1-9]\d{0,9})(?![\w-])/g
/** owner (39) / name (100), as long as GitHub allows them, right before the number sign. */
const repositoryBefore = /(?:^|[^\w./-])([A-Za-z0-9-]{1,39}\/[\w.-]{1,100})$/
const closingBefore = /(?:^|\W)(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+$/i
const farthest = 160

/** Every `#12` and `owner/name#12` of a text, once each, in order. Looks back a bounded way from each number: linear. */
export function findReferences(text: string): Reference[] {
  const found = new Map<string, Reference>()
  for (const match of text.matchAll(numbered)) {
    const before = text.slice(Math.max(0, match.index - farthest), match.index)
    const repository = repositoryBefore.exec(before)?.[1] ?? null
    if (repository === null && /[\w/&-]$/.test(before)) continue
    const keyword = before.slice(0, before.length - (repository?.length ?? 0))
    const closes = closingBefore.test(keyword)
    const key = `${repository ?? ''}#${match[1]}`
    const known = found.get(key)
    found.set(key, { repository, number: Number(match[1]), closes: closes || known?.closes === true })
  }
  return [...found.values()]
}
