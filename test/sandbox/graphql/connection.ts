import { GraphqlRefusal } from './refusal.ts'

export interface PageArguments {
  readonly first?: number | null
  readonly last?: number | null
  readonly after?: string | null
  readonly before?: string | null
}

const cursorOf = (index: number): string => Buffer.from(`cursor:${index}`).toString('base64')

function indexOf(cursor: string): number {
  const match = /^cursor:(\d+)$/.exec(Buffer.from(cursor, 'base64').toString())
  if (!match)
    throw new GraphqlRefusal('INVALID_CURSOR_ARGUMENTS', `\`${cursor}\` does not appear to be a valid cursor.`)
  return Number(match[1])
}

/** One page of a list; `first` or `last` is asked for, 1 to 100, as on GitHub. */
export function connection<T>(
  name: string,
  args: PageArguments,
  items: readonly T[],
  toNode: (item: T) => unknown = (item) => item,
) {
  const count = args.first ?? args.last
  if (count === undefined || count === null) {
    const message = `You must provide a \`first\` or \`last\` value to properly paginate the \`${name}\` connection.`
    throw new GraphqlRefusal('MISSING_PAGINATION_BOUNDARIES', message)
  }
  if (count < 0 || count > 100) {
    const message = `Requesting ${count} records on the \`${name}\` connection exceeds the \`first\` limit of 100 records.`
    throw new GraphqlRefusal('EXCESSIVE_PAGINATION', message)
  }
  const from = typeof args.after === 'string' ? indexOf(args.after) + 1 : 0
  const to = typeof args.before === 'string' ? indexOf(args.before) : items.length
  const isFirst = typeof args.first === 'number'
  const start = isFirst ? from : Math.max(from, to - count)
  const end = isFirst ? Math.min(to, from + count) : to
  const page = items.slice(start, end)
  return {
    totalCount: items.length,
    pageInfo: {
      hasNextPage: end < items.length,
      hasPreviousPage: start > 0,
      startCursor: page.length > 0 ? cursorOf(start) : null,
      endCursor: page.length > 0 ? cursorOf(end - 1) : null,
    },
    nodes: () => page.map(toNode),
    edges: () => page.map((item, i) => ({ cursor: cursorOf(start + i), node: () => toNode(item) })),
  }
}
