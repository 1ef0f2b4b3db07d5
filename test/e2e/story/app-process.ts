import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'

/** The App's server as a process of its own, so that it can be killed as processes are. */
export interface AppProcess {
  /** Starts it (again) and resolves when it listens. */
  start(): Promise<void>
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>
  /** SIGTERM: settles what it took. */
  stop(): Promise<void>
  /** Everything it printed so far. */
  readonly output: string
}

export function appProcess(env: Readonly<Record<string, string>>): AppProcess {
  let child: ChildProcess | undefined
  let output = ''

  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  return {
    get output() {
      return output
    },
    async start() {
      const entry = join(process.cwd(), 'build/src/app/index.js')
      const started = spawn(process.execPath, ['--enable-source-maps', entry], {
        env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      child = started
      const from = output.length
      const listens = new Promise<void>((resolve, reject) => {
        const read = (chunk: Buffer) => {
          output += chunk.toString('utf8')
          if (output.slice(from).includes('Ringmaster listens at')) resolve()
        }
        started.stdout.on('data', read)
        started.stderr.on('data', read)
        started.once('exit', (code, signal) =>
          reject(new Error(`the App ended (${code ?? signal}):\n${output.slice(from)}`)),
        )
      })
      await listens
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  }
}
