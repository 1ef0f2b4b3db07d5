import { execFile, spawn, spawnSync } from 'node:child_process'
import { type Fault, type Problem, quoted, RingmasterError } from '../core/problem.ts'

export type GitProblemCode =
  | 'git-missing'
  | 'not-a-repository'
  | 'repository-not-owned'
  | 'no-commits'
  | 'git-failed'
  | 'git-output-too-large'
  | 'git-timed-out'

const MAX_OUTPUT_BYTES = 1024 * 1024 * 1024
const DEFAULT_TIMEOUT_MS = 5 * 60_000

/** A hook or a wrapper may have set these; the caller's directory must decide, not they. */
const INHERITED_LOCATIONS = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_NAMESPACE', 'GIT_OBJECT_DIRECTORY']

const FORCED = {
  LC_ALL: 'C',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
} as const

/** Configuration of the repository or of the machine that would change what the reader sees. */
const NEUTRAL = ['-c', 'core.quotePath=false', '-c', 'log.showSignature=false', '-c', 'diff.relative=false']

const environment = (): NodeJS.ProcessEnv => {
  const kept = Object.entries(process.env).filter(([name]) => !INHERITED_LOCATIONS.includes(name))
  return { ...Object.fromEntries(kept), ...FORCED }
}

/**
 * Runs `git` in a directory, without a shell, and returns its standard output as bytes.
 * Throws `RingmasterError` with a `GitProblemCode`; credentials in addresses never appear in its text.
 */
export function git(
  directory: string,
  args: readonly string[],
  options: { readonly timeoutMs?: number; readonly maxOutputBytes?: number } = {},
): Promise<Buffer> {
  const settings = {
    encoding: 'buffer',
    env: environment(),
    maxBuffer: options.maxOutputBytes ?? MAX_OUTPUT_BYTES,
    timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  } as const
  return new Promise((resolve, reject) => {
    execFile('git', ['-C', directory, '--no-pager', ...NEUTRAL, ...args], settings, (error, stdout, stderr) => {
      if (error) reject(translateGitError(error, stderr.toString('utf8'), args))
      else resolve(stdout)
    })
  })
}

/**
 * As `git`, yet waits for it: for questions whose answer everything else waits for. It saves the streams of a child
 * process, which cost a cold start more than git itself does.
 */
export function gitAtOnce(directory: string, args: readonly string[]): Buffer {
  const { stdout, stderr, status, error, signal } = spawnSync(
    'git',
    ['-C', directory, '--no-pager', ...NEUTRAL, ...args],
    { env: environment(), maxBuffer: MAX_OUTPUT_BYTES, timeout: DEFAULT_TIMEOUT_MS },
  )
  if (status === 0) return stdout
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  const failure = { code: code === 'ENOBUFS' ? 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER' : code, killed: signal !== null }
  throw translateGitError(failure, stderr?.toString('utf8') ?? '', args)
}

/**
 * As `git`, yet hands the output over piece by piece while git still works, so that reading it costs no time of its own.
 * What `onPiece` throws ends git and passes on. With `isUnexplained` nobody hears why git failed, which spares a cold start
 * the second stream.
 */
export function gitInPieces(
  directory: string,
  args: readonly string[],
  onPiece: (piece: Buffer) => void,
  { isUnexplained = false }: { readonly isUnexplained?: boolean } = {},
): Promise<void> {
  const child = spawn('git', ['-C', directory, '--no-pager', ...NEUTRAL, ...args], {
    env: environment(),
    timeout: DEFAULT_TIMEOUT_MS,
    stdio: ['ignore', 'pipe', isUnexplained ? 'ignore' : 'pipe'],
  })
  const said: Buffer[] = []
  child.stderr?.on('data', (piece: Buffer) => said.push(piece))
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (piece: Buffer) => {
      try {
        onPiece(piece)
      } catch (error) {
        child.kill()
        reject(error)
      }
    })
    child.on('error', (error: NodeJS.ErrnoException) => reject(translateGitError(error, '', args)))
    child.on('close', (code) => {
      if (code === 0) resolve()
      else reject(translateGitError({ code, killed: child.killed }, Buffer.concat(said).toString('utf8'), args))
    })
  })
}

/** `https://user:secret@host` becomes `https://…@host`. */
const withoutCredentials = (text: string): string => text.replace(/:\/\/[^/@\s]{1,2000}@/g, '://…@')

interface KnownTrouble {
  readonly says: RegExp
  readonly fault: Fault
  readonly problem: Problem<GitProblemCode>
}

const BY_STANDARD_ERROR: readonly KnownTrouble[] = [
  {
    fault: 'outside',
    says: /dubious ownership/,
    problem: {
      code: 'repository-not-owned',
      message: 'expected a checkout owned by the user who runs this job, found one that git holds for somebody else’s',
      hint: 'run `git config --global --add safe.directory "$GITHUB_WORKSPACE"` in a step before this one',
    },
  },
  {
    fault: 'bad-input',
    says: /not a git repository|cannot change to/,
    problem: {
      code: 'not-a-repository',
      message: 'expected a git checkout in the directory, found none',
      hint: 'name the directory of one; in a workflow add a step `uses: actions/checkout` with `fetch-depth: 0` before this one, or set `working-directory`',
    },
  },
  {
    fault: 'bad-input',
    says: /ambiguous argument 'HEAD(\^\{commit\})?'|bad revision 'HEAD|malformed object name HEAD/,
    problem: {
      code: 'no-commits',
      message: 'expected a checked-out commit, found a repository without one',
      hint: 'commit something, or check a branch, tag or commit out; in a workflow in a step before this one',
    },
  },
]

function translateGitError(
  error: { readonly code?: unknown; readonly killed?: boolean },
  standardError: string,
  args: readonly string[],
): RingmasterError {
  const what = `\`git ${args[0] ?? ''}\``
  const known = (problem: Problem<GitProblemCode>, fault: Fault = 'outside'): RingmasterError =>
    new RingmasterError(fault, problem, { cause: error })
  if (error.code === 'ENOENT') {
    return known({
      code: 'git-missing',
      message: 'expected `git` on the PATH, found none',
      hint: 'install git on this runner or image',
    })
  }
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') {
    return known({ code: 'git-output-too-large', message: `expected at most 1 GiB from ${what}, found more` })
  }
  if (error.killed)
    return known({ code: 'git-timed-out', message: `expected an answer from ${what} in time, found none` })
  const match = BY_STANDARD_ERROR.find(({ says }) => says.test(standardError))
  if (match) return known(match.problem, match.fault)
  const lines = withoutCredentials(standardError).trim().split('\n')
  const said = lines.find((line) => line.startsWith('fatal:')) ?? lines.at(-1) ?? ''
  return known({ code: 'git-failed', message: `expected ${what} to succeed, found ${quoted(said)}` })
}
