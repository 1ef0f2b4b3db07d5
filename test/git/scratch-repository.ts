import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Ann',
  GIT_AUTHOR_EMAIL: 'ann@example.org',
  GIT_COMMITTER_NAME: 'Ann',
  GIT_COMMITTER_EMAIL: 'ann@example.org',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
}

/** A real repository in a temporary folder. Each commit is one minute younger than the one before. */
export class ScratchRepository {
  readonly directory: string
  private minute = 0

  constructor(directory: string = mkdtempSync(join(tmpdir(), 'ringmaster-git-'))) {
    this.directory = directory
  }

  static init(): ScratchRepository {
    const repository = new ScratchRepository()
    repository.git('init', '-q', '-b', 'main')
    return repository
  }

  git(...args: string[]): string {
    return this.gitWith('', ...args)
  }

  gitWith(input: string | Buffer, ...args: string[]): string {
    const date = `2026-01-01T${String(Math.floor(this.minute / 60)).padStart(2, '0')}:${String(this.minute % 60).padStart(2, '0')}:00Z`
    return execFileSync('git', ['-C', this.directory, ...args], {
      input,
      env: { ...process.env, ...IDENTITY, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
      .toString()
      .trim()
  }

  /** Commits with the exact bytes of a message, changing the files named (or none); returns the SHA. */
  commit(message: string | Buffer, files: readonly string[] = []): string {
    this.minute += 1
    for (const file of files) this.write(file, `${this.minute}\n`)
    this.git('add', '-A')
    this.gitWith(message, 'commit', '-q', '--allow-empty', '--allow-empty-message', '--cleanup=verbatim', '-F', '-')
    return this.head()
  }

  /** As many commits as there are messages, all at once, in this order, without files. */
  commitAll(messages: readonly string[]): void {
    const parent = this.git('rev-list', '-1', '--all', '--no-walk')
    const stream = messages.map((message, at) => {
      this.minute += 1
      const from = at === 0 && parent ? 'from refs/heads/main^0\n' : ''
      const committer = `committer Ann <ann@example.org> ${1_767_225_600 + this.minute * 60} +0000`
      return `commit refs/heads/main\n${committer}\ndata ${Buffer.byteLength(message)}\n${message}\n${from}\n`
    })
    this.gitWith(stream.join(''), 'fast-import', '--quiet')
    this.git('reset', '-q', '--hard', 'main')
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.directory, file)), { recursive: true })
    writeFileSync(join(this.directory, file), text)
  }

  read(file: string): string {
    return readFileSync(join(this.directory, file), 'utf8')
  }

  merge(message: string, ...branches: string[]): string {
    this.minute += 1
    this.git('merge', '-q', '--no-ff', '-m', message, ...branches)
    return this.head()
  }

  head(): string {
    return this.git('rev-parse', 'HEAD')
  }

  /** A shallow clone as `actions/checkout` makes it: one commit, detached, no tags. */
  shallowClone(sha = this.head()): ScratchRepository {
    const clone = ScratchRepository.init()
    clone.git('remote', 'add', 'origin', `file://${this.directory}`)
    clone.git('fetch', '-q', '--no-tags', '--depth=1', 'origin', sha)
    clone.git('checkout', '-q', '--detach', 'FETCH_HEAD')
    return clone
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}
