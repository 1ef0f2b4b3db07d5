import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { gitEnvironment } from './process.ts'

export interface RefUpdate {
  readonly name: string
  /** All zeros deletes. */
  readonly after: string
  /** The oid it must have now; all zeros: it must not exist. */
  readonly before: string
}

/** Moves refs through one lasting `git update-ref --stdin` (git 2.31), a transaction for each call. */
export interface RefWriter {
  /** All or nothing; false when one of them is not where it was expected. */
  update(updates: readonly RefUpdate[]): Promise<boolean>
  close(): Promise<void>
}

const zero = '0'.repeat(40)

function start(directory: string): ChildProcessWithoutNullStreams {
  const args = ['--git-dir', directory, 'update-ref', '--no-deref', '-z', '--stdin']
  const started = spawn('git', args, { env: gitEnvironment() })
  // Writing to one that has just failed is answered by its end.
  started.stdin.on('error', () => {})
  started.stderr.resume()
  return started
}

export function createRefWriter(directory: string): RefWriter {
  let child: ChildProcessWithoutNullStreams | undefined
  let last: Promise<unknown> = Promise.resolve()

  const forget = (ended: ChildProcessWithoutNullStreams) => {
    if (child === ended) child = undefined
  }
  /** A transaction that fails ends the process; the next one starts another. */
  const transact = (updates: readonly RefUpdate[]): Promise<boolean> => {
    const running = child ?? start(directory)
    if (running !== child) running.once('close', () => forget(running))
    child = running
    const commands = updates.map(({ name, after, before }) =>
      after === zero ? `delete ${name}\0${before}\0` : `update ${name}\0${after}\0${before}\0`,
    )
    return new Promise((resolve, reject) => {
      let output = ''
      const hear = (chunk: Buffer) => {
        output += chunk.toString()
        if (output.endsWith('commit: ok\n')) settle(true)
      }
      const settle = (isDone: boolean) => {
        running.stdout.off('data', hear).resume()
        running.off('close', fail).off('error', reject)
        if (!isDone) forget(running)
        resolve(isDone)
      }
      const fail = () => settle(false)
      running.stdout.on('data', hear)
      running.once('close', fail).once('error', reject)
      running.stdin.write(`start\0${commands.join('')}prepare\0commit\0`)
    })
  }
  return {
    update(updates) {
      const result = last.then(() => transact(updates))
      last = result.catch(() => {})
      return result
    },
    async close() {
      await last
      const running = child
      if (!running) return
      await new Promise<void>((resolve) => {
        running.once('close', () => resolve())
        running.stdin.end()
      })
    },
  }
}
