import { spawn } from 'node:child_process'
import { RingmasterError } from '../core/problem.ts'

export interface GitAnswer {
  readonly exitCode: number
  readonly stdout: Buffer
  readonly stderr: string
}

/** Variables such as GIT_DIR or GIT_INDEX_FILE, set when git calls hooks, would point git at another repository. */
export const gitEnvironment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))),
  LC_ALL: 'C',
})

/** Runs git in a bare repository, without a shell, and returns its answer whatever its exit code is. */
export function askGit(directory: string, args: readonly string[], input?: Uint8Array | string): Promise<GitAnswer> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [`--git-dir=${directory}`, ...args], {
      env: gitEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', (cause) => reject(gitUnavailable(cause)))
    child.on('close', (code) =>
      resolve({ exitCode: code ?? 128, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString('utf8') }),
    )
    // Git may end before it has read everything, as after a bad line; its exit code says so.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

/** Runs git and returns what it printed. Throws `git-failed` with git's own words when it did not exit with 0. */
export async function runGit(directory: string, args: readonly string[], input?: Uint8Array | string): Promise<Buffer> {
  const answer = await askGit(directory, args, input)
  if (answer.exitCode === 0) return answer.stdout
  throw gitFailed(args[0] ?? 'git', answer)
}

export const gitUnavailable = (cause: Error): RingmasterError =>
  new RingmasterError(
    'outside',
    { code: 'git-unavailable', message: `expected to run git, found ${cause.message}` },
    { cause },
  )

export const gitFailed = (command: string, answer: Omit<GitAnswer, 'stdout'>): RingmasterError =>
  new RingmasterError('outside', {
    code: 'git-failed',
    message: `expected git ${command} to succeed, found exit code ${answer.exitCode}: ${answer.stderr.trim()}`,
  })
