import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface ProcessRequest {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly onLine: (line: string) => void
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** How a process ended. A timeout or an abort kills its whole process group. */
export type ProcessEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly why: string }

/** Runs a process to its end, line by line; both of its outputs arrive at `onLine`, each in its own order. */
export function runProcess(request: ProcessRequest): Promise<ProcessEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(request.command, request.args, {
      cwd: request.cwd,
      env: request.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let killed: string | undefined
    const kill = (why: string): void => {
      killed = why
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It ended by itself in the meantime.
      }
    }
    const timer = setTimeout(() => kill(`The step has timed out after ${request.timeoutMs} ms.`), request.timeoutMs)
    const onAbort = (): void => kill('The operation was canceled.')
    if (request.signal?.aborted) onAbort()
    request.signal?.addEventListener('abort', onAbort, { once: true })
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', request.onLine)
    const settle = (): void => {
      clearTimeout(timer)
      request.signal?.removeEventListener('abort', onAbort)
    }
    child.on('error', (error) => {
      settle()
      reject(error)
    })
    child.on('close', (code, signal) => {
      settle()
      if (killed !== undefined) resolve({ kind: 'killed', why: killed })
      else if (code === null) resolve({ kind: 'killed', why: `The process was ended by ${signal}.` })
      else resolve({ kind: 'exited', code })
    })
  })
}
