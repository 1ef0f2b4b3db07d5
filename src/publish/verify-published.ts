import { setTimeout as sleep } from 'node:timers/promises'
import { sha256 } from '../core/json.ts'
import type { PublishedFile } from '../core/manifest/publication.ts'
import { accepted, type Checked, type Problem, rejected } from '../core/problem.ts'
import { type Fetcher, httpFetcher } from '../device/fetch.ts'

export type ArrivalCode = 'not-arrived' | 'other-bytes' | 'host-unreachable' | 'missing-answered'

/** What should be at the public address: path, digest (`sha256:…`) and length in bytes. */
export interface Expected {
  readonly path: string
  readonly digest: string
  readonly size: number
}

export const expectedOf = (files: readonly PublishedFile[]): readonly Expected[] =>
  files.map(({ path, bytes }) => ({ path, digest: sha256(bytes), size: bytes.length }))

export interface Patience {
  /** How often to look at all. A host that builds or caches (Pages: up to ten minutes) needs more than one look. */
  readonly attempts?: number
  readonly waitMs?: number
  /** Asked at each look; what a later publication has replaced meanwhile is not waited for. All when left out. */
  readonly isWanted?: (file: Expected) => boolean
}

/** A publication of many cohorts is no reason for a host to see a flood. */
const FILES_AT_ONCE = 32

/** A path that no publication has: the host must say that it is missing, or devices take its error page for a root. */
const NEVER_THERE = 'metadata/0.root.json'

/**
 * Fetches the public address and compares every file with what was published. Tells all that did not arrive after the
 * last attempt, and a host that answers a missing file with something else than 404, 403 or 410.
 */
export async function verifyPublished(
  baseUrl: string,
  expected: readonly Expected[],
  { attempts = 1, waitMs = 5_000, isWanted = () => true }: Patience = {},
): Promise<Checked<{ readonly files: number }, ArrivalCode>> {
  const fetcher = httpFetcher(baseUrl)
  let left: readonly Expected[] = expected
  let problems: readonly Problem<ArrivalCode>[] = []
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) await sleep(waitMs)
    const looked = await lookAtAll(fetcher, left)
    const missed = looked.filter(({ file, problem }) => problem !== null && isWanted(file))
    left = missed.map(({ file }) => file)
    problems = missed.flatMap(({ problem }) => problem ?? [])
    if (left.length === 0) break
  }
  const probe = await probeMissing(fetcher)
  const all = probe ? [...problems, probe] : problems
  return all.length === 0 ? accepted({ files: expected.length }) : rejected(...all)
}

async function lookAtAll(fetcher: Fetcher, files: readonly Expected[]) {
  const looked: { readonly file: Expected; readonly problem: Problem<ArrivalCode> | null }[] = []
  for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
    const some = files.slice(at, at + FILES_AT_ONCE)
    looked.push(...(await Promise.all(some.map(async (file) => ({ file, problem: await lookAt(fetcher, file) })))))
  }
  return looked
}

async function lookAt(fetcher: Fetcher, { path, digest, size }: Expected): Promise<Problem<ArrivalCode> | null> {
  const answer = await fetcher.get(path, { maxBytes: size })
  const place = `${fetcher.name}${path}`
  if (answer.kind === 'found' && sha256(answer.bytes) === digest) return null
  if (answer.kind === 'trouble' && answer.problem.code === 'host-unreachable')
    return { ...answer.problem, code: 'host-unreachable', path }
  if (answer.kind === 'missing') {
    return {
      code: 'not-arrived',
      message: `expected ${place}, found nothing there`,
      hint: 'The host has not taken the publication over yet, or serves another directory.',
      path,
    }
  }
  return {
    code: 'other-bytes',
    message: `expected ${place} with ${digest}, found other bytes`,
    hint: 'A cache still serves the file before, or the host changes what it serves.',
    path,
  }
}

async function probeMissing(fetcher: Fetcher): Promise<Problem<ArrivalCode> | null> {
  const answer = await fetcher.get(NEVER_THERE, { maxBytes: 1_000_000 })
  if (answer.kind === 'missing') return null
  if (
    answer.kind === 'trouble' &&
    answer.problem.code === 'host-unreachable' &&
    !/status \d/.test(answer.problem.message)
  )
    return null
  return {
    code: 'missing-answered',
    message: `expected status 404 for a file that is not there (${NEVER_THERE}), found another answer`,
    hint: 'Switch off the page that the host serves for unknown addresses; devices read it as a damaged root and stop.',
    path: NEVER_THERE,
  }
}
