import { decodeName, splitAtNul } from './decode.ts'
import { git } from './git.ts'

/** Between co-authors; git keeps no such sign within the trailers of a message that people write. */
const BETWEEN = '\u0001'

const FORMAT = '--format=tformat:%H%x00%an%x00%ae%x00%(trailers:key=Co-authored-by,valueonly,separator=%x01)'

/** GitHub's private addresses (https://docs.github.com/account-and-profile/reference/email-addresses-reference). */
const NO_REPLY = /^(?:\d{1,20}\+)?([A-Za-z0-9-]{1,39})@users\.noreply\.github\.com$/

const TRAILER = /^([^<>]*)<([^<>]*)>/

/**
 * Who made the commits of a range, authors before co-authors, by full hash: the login where the address is GitHub's own,
 * else the name. Bots are left out. Anybody can write any name into a commit.
 */
export async function readAuthors(
  directory: string,
  range: { readonly from: string | null; readonly to: string },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const output = await git(directory, [
    'log',
    '-z',
    '--encoding=UTF-8',
    '--no-color',
    FORMAT,
    '--end-of-options',
    range.to,
    ...(range.from === null ? [] : [`^${range.from}`]),
    '--',
  ])
  const fields = splitAtNul(output).map(decodeName)
  const people = new Map<string, readonly string[]>()
  for (let at = 0; at + 3 < fields.length; at += 4) {
    const [sha = '', name = '', email = '', trailers = ''] = fields.slice(at, at + 4)
    const all = [personOf(name, email), ...trailers.split(BETWEEN).map(coAuthor)]
    people.set(sha, [...new Set(all)].filter(isPerson))
  }
  return people
}

const personOf = (name: string, email: string): string => NO_REPLY.exec(email.trim())?.[1] ?? name.trim()

function coAuthor(trailer: string): string {
  const [, name = '', email = ''] = TRAILER.exec(trailer.trim()) ?? []
  return personOf(name, email)
}

const isPerson = (name: string): boolean => name !== '' && !name.endsWith('[bot]')
