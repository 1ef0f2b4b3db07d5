import { spawn } from 'node:child_process'

export class GitError extends Error {
  readonly exitCode: number
  constructor(args: readonly string[], exitCode: number, stderr: string) {
    super(`git ${args[0]}: ${stderr.trim() || `exit code ${exitCode}`}`)
    this.exitCode = exitCode
  }
}

/** The machine's git configuration has no say in the sandbox. */
export const gitEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
})

export interface GitRun {
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  /** Exit codes that are answers, not errors (default: only 0). */
  readonly accept?: readonly number[]
}

/** Runs one git command in a bare repository; throws GitError on an exit code that is not accepted. */
export function runGit(
  directory: string,
  args: readonly string[],
  run: GitRun = {},
): Promise<{ code: number; stdout: Buffer }> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['--git-dir', directory, ...args], { env: { ...gitEnvironment(), ...run.env } })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.stdin.on('error', () => {})
    child.on('error', reject)
    child.on('close', (code) => {
      const exitCode = code ?? 1
      if (exitCode === 0 || run.accept?.includes(exitCode)) resolve({ code: exitCode, stdout: Buffer.concat(out) })
      else reject(new GitError(args, exitCode, Buffer.concat(err).toString()))
    })
    child.stdin.end(run.input ?? '')
  })
}
