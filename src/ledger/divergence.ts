import type { RingmasterError } from '../core/problem.ts'
import type { CommitInfo, LedgerStore } from './store.ts'
import { integrityError, integrityProblem } from './trouble.ts'

/** How a branch came to be that does not go on from a commit that was seen on it. */
export type Divergence =
  /** It ends before that commit. */
  | { readonly kind: 'truncated' }
  /** It goes on from that commit, and what stood there is other than before. */
  | { readonly kind: 'edited' }
  /** Both go on from one commit, and differ from there. */
  | { readonly kind: 'forked'; readonly from: string }
  /** No commit is common to both, as far as was looked. */
  | { readonly kind: 'replaced' }

/** Further back than any fork that was not seen for weeks. */
const LOOK_BACK = 1_000

/** The commits from one backwards, or none where the commit is not to be had any more. */
async function lineOf(store: LedgerStore, commit: string): Promise<readonly CommitInfo[]> {
  try {
    return await store.history(commit, { limit: LOOK_BACK })
  } catch {
    return []
  }
}

/** Compares the commits of a branch with those behind a commit that was seen on it. */
export async function divergenceOf(store: LedgerStore, seen: string, found: string): Promise<Divergence> {
  const now = new Set((await lineOf(store, found)).map((info) => info.commit))
  if (now.has(seen)) return { kind: 'edited' }
  const before = (await lineOf(store, seen)).map((info) => info.commit)
  if (before.includes(found)) return { kind: 'truncated' }
  const from = before.find((commit) => now.has(commit))
  return from === undefined ? { kind: 'replaced' } : { kind: 'forked', from }
}

const CODES = {
  truncated: 'ledger-rewound',
  edited: 'ledger-damaged',
  forked: 'ledger-forked',
  replaced: 'ledger-replaced',
} as const satisfies Record<Divergence['kind'], string>

/** The error that names what happened to a branch, and by what it was noticed ("expected …, found …"). */
export function divergenceError(
  branch: string,
  divergence: Divergence,
  why: string,
  where: Parameters<typeof integrityProblem>[2] = {},
): RingmasterError {
  const { kind } = divergence
  const from = kind === 'forked' ? ` at commit ${divergence.from}` : ''
  return integrityError(integrityProblem(CODES[kind], `${branch}: the branch was ${kind}${from}: ${why}`, where))
}
