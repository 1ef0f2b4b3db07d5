import nock from 'nock'
import type { ScratchRepository } from '../git/scratch-repository.ts'
import { API } from './stage.ts'

const REPO = '/repos/acme/platform'

/** Answers what GitHub answers of a real repository as it is now; returns the paths that will have been asked for. */
export function serve(repository: ScratchRepository): string[] {
  const { commits, refs } = read(repository)
  /** Newest first. */
  const ancestry = (sha: string): string[] => {
    const found = new Set([sha])
    for (const one of found) for (const parent of commits.get(one)?.parents ?? []) found.add(parent)
    return [...commits.keys()].filter((one) => found.has(one))
  }
  const page = (shas: readonly string[], query: URLSearchParams) => {
    const [size, number] = [Number(query.get('per_page')), Number(query.get('page'))]
    return shas
      .slice((number - 1) * size, number * size)
      .map((sha) => ({ sha, commit: { message: commits.get(sha)?.message } }))
  }
  const asRef = ({ ref, type, sha }: Ref) => ({ ref, object: { type, sha } })
  const answers: readonly [RegExp, (name: string, query: URLSearchParams) => object | undefined][] = [
    [/^$/, () => ({ default_branch: 'main' })],
    [/^\/git\/ref\/(.+)$/, (name) => refs.filter(({ ref }) => ref === `refs/${name}`).map(asRef)[0]],
    [/^\/git\/matching-refs\/(.+)$/, (name) => refs.filter(({ ref }) => ref.startsWith(`refs/${name}`)).map(asRef)],
    [
      /^\/git\/tags\/(.+)$/,
      (name) =>
        refs.filter(({ sha }) => sha === name).map(({ commit }) => ({ object: { type: 'commit', sha: commit } }))[0],
    ],
    [/^\/commits$/, (_, query) => page(ancestry(query.get('sha') ?? ''), query)],
    [
      /^\/compare\/(.+)$/,
      (range, query) => {
        const [base = [], head = []] = range.split('...').map(ancestry)
        const ahead = head.filter((sha) => !base.includes(sha)).reverse()
        const isBehind = base.some((sha) => !head.includes(sha))
        const status = isBehind ? 'diverged' : ahead.length > 0 ? 'ahead' : 'identical'
        return { status, total_commits: ahead.length, commits: page(ahead, query) }
      },
    ],
  ]
  const asked: string[] = []
  nock(API)
    .persist()
    .get((uri) => uri.startsWith(REPO))
    .reply((uri) => {
      const url = new URL(uri, API)
      const path = decodeURIComponent(url.pathname.slice(REPO.length))
      asked.push(path)
      const [form, answer] = answers.find(([form]) => form.test(path)) ?? []
      const told = answer?.(form?.exec(path)?.[1] ?? '', url.searchParams)
      return told === undefined ? [404, { message: 'Not Found' }] : [200, told]
    })
  return asked
}

interface Ref {
  readonly ref: string
  readonly type: string
  readonly sha: string
  /** Where an annotated tag leads to. */
  readonly commit: string
}

function read(repository: ScratchRepository) {
  const records = (...args: string[]): string[][] =>
    repository
      .git(...args)
      .split('\x01\n')
      .filter(Boolean)
      .map((record) => record.replace(/\x01$/, '').split('\x00'))
  const commits = new Map(
    records('log', '--all', '--topo-order', '--format=%H%x00%P%x00%B%x01').map(
      ([sha = '', parents = '', message = '']) => [sha, { parents: parents.split(' ').filter(Boolean), message }],
    ),
  )
  const format = '--format=%(refname)%00%(objecttype)%00%(objectname)%00%(*objectname)%01'
  const refs = records('for-each-ref', format).map(([ref = '', type = '', sha = '', commit = '']) => ({
    ...{ ref, type, sha, commit },
  }))
  return { commits, refs: refs satisfies Ref[] }
}
