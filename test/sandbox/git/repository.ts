import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { commitParts, type GitObject, gitObjects } from '../../../src/ledger/git-objects.ts'
import { writeObject } from './object-writer.ts'
import { gitEnvironment, runGit } from './process.ts'
import { createRefWriter, type RefUpdate } from './ref-writer.ts'
import { editTree, encodeTree } from './tree-editor.ts'

export const zeroOid = '0'.repeat(40)

const LONGEST_KEPT = 10_000

/** A sandbox is closed; until then its repositories are asked again and again. */
const WHOLE_DAY_MS = 24 * 3_600_000

/** Of a longer line git is asked. */
const LONGEST_LINE = 300

export interface Signature {
  readonly name: string
  readonly email: string
  /** ISO 8601 UTC, to the second. */
  readonly date: string
}

export interface Commit {
  readonly oid: string
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: Signature
  readonly committer: Signature
  readonly message: string
}

export type TreeMode = '100644' | '100755' | '120000' | '160000' | '040000'

export interface TreeEntry {
  readonly mode: TreeMode
  readonly name: string
  readonly oid: string
}

export interface TreeChange {
  readonly path: string
  readonly mode: string
  /** null deletes. */
  readonly oid: string | null
}

export interface ChangedFile {
  readonly path: string
  readonly previousPath: string | undefined
  readonly status: 'added' | 'removed' | 'modified' | 'renamed'
  readonly oid: string
  readonly additions: number
  readonly deletions: number
  /** From the first `@@`; undefined for binary files. */
  readonly patch: string | undefined
}

export const typeOfMode = (mode: string): 'blob' | 'tree' | 'commit' =>
  mode === '040000' ? 'tree' : mode === '160000' ? 'commit' : 'blob'

/** git check-ref-format's rules, for a name that may be put into a revision. */
export const isRefName = (name: string): boolean =>
  name.length > 0 &&
  name.length <= 255 &&
  !/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|^[./-]|[./]$|^@$/.test(name)

const isOid = (text: string): boolean => /^[0-9a-f]{40}$/.test(text)

/** Paths git would not check out: absolute, empty or dot segments, `.git`. */
export const isSafePath = (path: string): boolean =>
  path.length > 0 &&
  !path.includes('\0') &&
  path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part.toLowerCase() !== '.git')

/** A bare repository, read and written by git's plumbing. Oids are full 40-digit hexadecimal; absent = undefined. */
export class GitRepository {
  readonly directory: string
  readonly #objects
  readonly #refs
  readonly #answers = new Map<string, unknown>()
  #hasBranches = false
  constructor(directory: string) {
    this.directory = directory
    this.#objects = gitObjects(directory, { environment: gitEnvironment, idleMs: WHOLE_DAY_MS })
    this.#refs = createRefWriter(directory)
  }

  static async create(directory: string, defaultBranch: string): Promise<GitRepository> {
    const folders = ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags']
    await Promise.all(folders.map((folder) => mkdir(join(directory, folder), { recursive: true })))
    await writeFile(join(directory, 'HEAD'), `ref: refs/heads/${defaultBranch}\n`)
    const settings = ['[http]', 'receivepack = true', '[uploadpack]', 'allowAnySHA1InWant = true', 'allowFilter = true']
    const safety = [
      '[gc]',
      'auto = 0',
      '[receive]',
      'autogc = false',
      '[core]',
      'fsync = none',
      'logAllRefUpdates = false',
    ]
    const config = `[core]\nrepositoryformatversion = 0\nbare = true\n${[...settings, ...safety].join('\n')}\n`
    await writeFile(join(directory, 'config'), config)
    return new GitRepository(directory)
  }

  async close(): Promise<void> {
    await Promise.all([this.#objects.close(), this.#refs.close()])
  }

  readObject(name: string): Promise<GitObject | undefined> {
    return this.#objects.read(name)
  }

  /** The oid a full ref name points to (the tag object for an annotated tag). */
  async readRef(name: string): Promise<string | undefined> {
    if (!name.startsWith('refs/') || !isRefName(name)) return undefined
    return (await this.readObject(name))?.oid
  }

  /** Branch, tag, `heads/x`, `tags/x`, full ref, oid or short oid → commit oid. */
  async resolveCommit(revision: string): Promise<string | undefined> {
    if (revision === 'HEAD') return (await this.readObject('HEAD^{commit}'))?.oid
    if (!isRefName(revision)) return undefined
    const isHex = /^[0-9a-f]{7,40}$/.test(revision)
    const names = [
      ...(isOid(revision) ? [revision] : []),
      ...['refs/heads/', 'refs/tags/', 'refs/'].map((prefix) => `${prefix}${revision}`),
      ...(revision.startsWith('refs/') ? [revision] : []),
      ...(isHex ? [revision] : []),
    ]
    for (const name of names) {
      const found = await this.readObject(`${name}^{commit}`)
      if (found) return found.oid
    }
    return undefined
  }

  async readCommit(oid: string): Promise<Commit | undefined> {
    if (!isOid(oid)) return undefined
    const object = await this.readObject(oid)
    return object?.type === 'commit' ? parseCommit(object) : undefined
  }

  /** In the given order, without those that are not there. */
  async readCommits(oids: readonly string[]): Promise<Commit[]> {
    const commits = await Promise.all(oids.map((oid) => this.readCommit(oid)))
    return commits.filter((commit): commit is Commit => commit !== undefined)
  }

  /** Entries of one tree, in git's order. */
  async readTree(oid: string): Promise<TreeEntry[] | undefined> {
    const object = isOid(oid) ? await this.readObject(oid) : undefined
    return object?.type === 'tree' ? parseTree(object.bytes) : undefined
  }

  async entryAt(treeOid: string, path: string): Promise<TreeEntry | undefined> {
    let entry: TreeEntry = { mode: '040000', name: '', oid: treeOid }
    for (const part of path.split('/').filter((one) => one !== '')) {
      const entries = entry.mode === '040000' ? await this.readTree(entry.oid) : undefined
      const next = entries?.find((one) => one.name === part)
      if (!next) return undefined
      entry = next
    }
    return entry
  }

  async readFile(commitOid: string, path: string): Promise<Buffer | undefined> {
    const commit = await this.readCommit(commitOid)
    const entry = commit && (await this.entryAt(commit.tree, path))
    const object = entry && (await this.readObject(entry.oid))
    return object?.type === 'blob' ? object.bytes : undefined
  }

  /** All entries below a tree with their sizes (undefined for trees); names are full paths. */
  async listTree(oid: string): Promise<(TreeEntry & { readonly size: number | undefined })[]> {
    const { stdout } = await runGit(this.directory, ['ls-tree', '-r', '-t', '-z', '--long', '--full-tree', oid])
    return splitZ(stdout).map((line) => {
      const tab = line.indexOf('\t')
      const [mode = '', , entryOid = '', size = '-'] = line.slice(0, tab).split(/ +/)
      return {
        mode: mode as TreeMode,
        name: line.slice(tab + 1),
        oid: entryOid,
        size: size === '-' ? undefined : Number(size),
      }
    })
  }

  /**
   * Refs below a prefix (`refs/heads/`), by name; `peeled` = what an annotated tag points to. Each is a file: nothing here
   * packs them.
   */
  async listRefs(prefix: string): Promise<{ name: string; oid: string; type: GitObject['type']; peeled: string }[]> {
    const files = await readdir(join(this.directory, 'refs'), { recursive: true, withFileTypes: true })
    const names = files
      .filter((file) => file.isFile() && !file.name.endsWith('.lock'))
      .map((file) => relative(this.directory, join(file.parentPath, file.name)))
      .filter((name) => name.startsWith(prefix))
      .toSorted()
    const found = await Promise.all(
      names.map(async (name) => {
        const [object, peeled] = await Promise.all([this.readObject(name), this.readObject(`${name}^{}`)])
        return object ? [{ name, oid: object.oid, type: object.type, peeled: peeled?.oid ?? object.oid }] : []
      }),
    )
    return found.flat()
  }

  /** One that has had branches is not looked at again: nothing here deletes the last of them. */
  async isEmpty(): Promise<boolean> {
    this.#hasBranches ||= (await this.listRefs('refs/heads/')).length > 0
    return !this.#hasBranches
  }

  async isAncestor(ancestor: string, descendant: string): Promise<boolean> {
    const code = await this.#once(`ancestor ${ancestor} ${descendant}`, async () => {
      const args = ['merge-base', '--is-ancestor', ancestor, descendant]
      return String((await runGit(this.directory, args, { accept: [1] })).code)
    })
    return code === '0'
  }

  /** What objects have to each other never changes, so it is asked once; long answers are not kept. */
  async #once<T extends string | readonly unknown[] | undefined>(question: string, ask: () => Promise<T>): Promise<T> {
    if (this.#answers.has(question)) return this.#answers.get(question) as T
    const answer = await ask()
    if ((answer?.length ?? 0) <= LONGEST_KEPT) this.#answers.set(question, answer)
    return answer
  }

  mergeBase(a: string, b: string): Promise<string | undefined> {
    return this.#once(`merge-base ${a} ${b}`, async () => {
      const { code, stdout } = await runGit(this.directory, ['merge-base', a, b], { accept: [1] })
      return code === 0 ? stdout.toString().trim() : undefined
    })
  }

  /** Oids newest first, as `git rev-list` orders them. */
  listCommits(range: readonly string[], options: readonly string[] = [], path?: string): Promise<readonly string[]> {
    const args = [...options, ...range, ...(path === undefined ? [] : ['--', `:(literal)${path}`])]
    return this.#once(`list ${args.join('\n')}`, async () => {
      const line = path === undefined ? await this.#listLine(range, options) : undefined
      if (line) return line
      const { stdout } = await runGit(this.directory, ['rev-list', ...args])
      return stdout.toString().split('\n').filter(Boolean)
    })
  }

  /** What git would list where every commit has one parent, without starting it; undefined for anything else. */
  async #listLine(range: readonly string[], options: readonly string[]): Promise<readonly string[] | undefined> {
    const [head, ...others] = range.filter((name) => !name.startsWith('^'))
    const [end, ...ends] = range.filter((name) => name.startsWith('^')).map((name) => name.slice(1))
    const counts = options.flatMap((option) => /^--max-count=(\d+)$/.exec(option)?.[1] ?? [])
    const isPlain = options.every((option) => /^--(?:reverse|no-merges|max-count=\d+)$/.test(option))
    if (head === undefined || others.length + ends.length > 0 || !isPlain) return undefined
    const most = Math.min(...counts.map(Number))
    const line = (await this.#line(head, end, most))?.slice(0, most)
    if (line) return options.includes('--reverse') ? line.toReversed() : line
    return end !== undefined && (await this.#line(end, head, most)) ? [] : undefined
  }

  /**
   * The commits from one back to before another, or without one `most` of them back to the root; undefined where they fork,
   * do not come to it, or are too many.
   */
  async #line(from: string, to: string | undefined, most: number): Promise<string[] | undefined> {
    const line: string[] = []
    for (let at = from; at !== to && (to !== undefined || line.length < most); ) {
      const commit = line.length < LONGEST_LINE ? await this.readCommit(at) : undefined
      const [parent, second] = commit?.parents ?? []
      if (!commit || second !== undefined) return undefined
      line.push(at)
      if (parent === undefined) return to === undefined ? line : undefined
      at = parent
    }
    return line
  }

  /** Writes blobs; oids in the same order. */
  writeBlobs(contents: readonly Uint8Array[]): Promise<string[]> {
    return Promise.all(contents.map((content) => writeObject(this.directory, 'blob', content)))
  }

  /** A new tree: `base` (empty when undefined) with the changes. */
  writeTree(base: string | undefined, changes: readonly TreeChange[]): Promise<string> {
    const store = {
      readTree: (oid: string) => this.readTree(oid),
      writeTree: (entries: readonly TreeEntry[]) => writeObject(this.directory, 'tree', encodeTree(entries)),
    }
    return editTree(store, base, changes)
  }

  /** Writes the commit object with exactly this message. */
  async writeCommit(commit: Omit<Commit, 'oid'>): Promise<string> {
    const lines = [
      `tree ${commit.tree}`,
      ...commit.parents.map((parent) => `parent ${parent}`),
      `author ${signatureLine(commit.author)}`,
      `committer ${signatureLine(commit.committer)}`,
      '',
      commit.message,
    ]
    return writeObject(this.directory, 'commit', Buffer.from(lines.join('\n')))
  }

  async writeTag(tag: {
    object: string
    type: string
    name: string
    tagger: Signature
    message: string
  }): Promise<string> {
    const head = `object ${tag.object}\ntype ${tag.type}\ntag ${tag.name}\ntagger ${signatureLine(tag.tagger)}\n\n`
    return writeObject(this.directory, 'tag', Buffer.from(head + tag.message))
  }

  /** All or nothing; false when one of them is not where it was expected. */
  updateRefs(updates: readonly RefUpdate[]): Promise<boolean> {
    return this.#refs.update(updates)
  }

  /** The merged tree of two commits; undefined when they conflict. Needs git 2.38. */
  mergeTrees(ours: string, theirs: string): Promise<string | undefined> {
    return this.#once(`merge ${ours} ${theirs}`, async () => {
      const args = ['merge-tree', '--write-tree', '--no-messages', '--allow-unrelated-histories', ours, theirs]
      const { code, stdout } = await runGit(this.directory, args, { accept: [1] })
      return code === 0 ? stdout.toString().trim() : undefined
    })
  }

  /** What changed between two commits or trees (`undefined` = the empty tree), by path. */
  async changedFiles(from: string | undefined, to: string): Promise<readonly ChangedFile[]> {
    const base = from ?? (await this.writeTree(undefined, []))
    return this.#once(`diff ${base} ${to}`, async () => {
      const diff = async (...args: string[]) =>
        (await runGit(this.directory, ['diff-tree', '-r', '-M', ...args, base, to])).stdout
      const [raw, counts, patches] = await Promise.all([
        diff('-z', '--raw'),
        diff('-z', '--numstat'),
        diff('-p', '--no-color'),
      ])
      return joinDiff(splitZ(raw), splitZ(counts), patches.toString())
    })
  }
}

const splitZ = (bytes: Buffer): string[] => bytes.toString().split('\0').slice(0, -1)

const statusOf: Readonly<Record<string, ChangedFile['status']>> = { A: 'added', D: 'removed', R: 'renamed' }

function joinDiff(raw: readonly string[], counts: readonly string[], patches: string): ChangedFile[] {
  const bodies = patches === '' ? [] : patches.split(/^diff --git /m).slice(1)
  const files: ChangedFile[] = []
  let countAt = 0
  for (let at = 0; at < raw.length; ) {
    const [, , before = '', after = '', letter = 'M'] = (raw[at] ?? '').split(' ')
    const isRename = letter.startsWith('R')
    const path = raw[at + (isRename ? 2 : 1)] ?? ''
    const [additions = '-', deletions = '-'] = (counts[countAt] ?? '').split('\t')
    const body = bodies[files.length] ?? ''
    const hunk = body.startsWith('@@') ? 0 : body.indexOf('\n@@') + 1
    files.push({
      path,
      previousPath: isRename ? raw[at + 1] : undefined,
      status: statusOf[letter.charAt(0)] ?? 'modified',
      oid: after === zeroOid ? before : after,
      additions: Number(additions) || 0,
      deletions: Number(deletions) || 0,
      patch: hunk > 0 ? body.slice(hunk).replace(/\n$/, '') : undefined,
    })
    at += isRename ? 3 : 2
    countAt += isRename ? 3 : 1
  }
  return files
}

function signatureLine({ name, email, date }: Signature): string {
  const clean = (text: string) => text.replace(/[<>\n\0]/g, '').trim()
  return `${clean(name) || 'unknown'} <${clean(email)}> ${Math.floor(Date.parse(date) / 1000)} +0000`
}

function parseSignature(line: string): Signature {
  const open = line.indexOf('<')
  const close = line.indexOf('>', open)
  const seconds = Number(line.slice(close + 2).split(' ')[0])
  const date = `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`
  return { name: line.slice(0, open).trim(), email: line.slice(open + 1, close), date }
}

export function parseCommit(object: GitObject): Commit {
  const { values, message } = commitParts(object)
  return {
    oid: object.oid,
    tree: values('tree')[0] ?? '',
    parents: values('parent'),
    author: parseSignature(values('author')[0] ?? ''),
    committer: parseSignature(values('committer')[0] ?? ''),
    message,
  }
}

function parseTree(bytes: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = []
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(32, at)
    const zero = bytes.indexOf(0, blank)
    const mode = bytes.toString('utf8', at, blank).padStart(6, '0') as TreeMode
    entries.push({
      mode,
      name: bytes.toString('utf8', blank + 1, zero),
      oid: bytes.toString('hex', zero + 1, zero + 21),
    })
    at = zero + 21
  }
  return entries
}
