import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { gitEnvironment } from './process.ts'

export interface GitObject {
  readonly oid: string
  readonly type: 'commit' | 'tree' | 'blob' | 'tag'
  readonly bytes: Buffer
}

/** Reads objects by name through one lasting `git cat-file --batch`; undefined when there is none of that name. */
export interface ObjectReader {
  read(name: string): Promise<GitObject | undefined>
  close(): Promise<void>
}

export function createObjectReader(directory: string): ObjectReader {
  let child: ChildProcessWithoutNullStreams | undefined
  let chunks: Buffer[] = []
  let bufferedBytes = 0
  let waiting: { resolve: (object: GitObject | undefined) => void; reject: (error: Error) => void }[] = []
  let header: { oid: string; type: GitObject['type']; size: number } | undefined

  const take = (): void => {
    while (waiting.length > 0) {
      // Joining only once the whole object is there keeps large blobs linear.
      if (header && bufferedBytes < header.size + 1) return
      const buffer = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
      if (header) {
        const { oid, type, size } = header
        keep(buffer.subarray(size + 1))
        header = undefined
        waiting.shift()?.resolve({ oid, type, bytes: Buffer.from(buffer.subarray(0, size)) })
        continue
      }
      const end = buffer.indexOf(10)
      if (end < 0) return
      const match = /^([0-9a-f]{40}) (commit|tree|blob|tag) (\d+)$/.exec(buffer.toString('utf8', 0, end))
      keep(buffer.subarray(end + 1))
      if (match?.[1]) header = { oid: match[1], type: match[2] as GitObject['type'], size: Number(match[3]) }
      else waiting.shift()?.resolve(undefined)
    }
  }
  const keep = (rest: Buffer) => {
    chunks = rest.length > 0 ? [rest] : []
    bufferedBytes = rest.length
  }
  const start = (): ChildProcessWithoutNullStreams => {
    const started = spawn('git', ['--git-dir', directory, 'cat-file', '--batch'], { env: gitEnvironment() })
    started.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bufferedBytes += chunk.length
      take()
    })
    started.stdin.on('error', () => {})
    started.on('close', () => {
      child = undefined
      keep(Buffer.alloc(0))
      header = undefined
      const left = waiting
      waiting = []
      for (const one of left) one.reject(new Error('git cat-file ended'))
    })
    return started
  }
  return {
    read(name) {
      // A line break would be two names to cat-file; no object is found by such a name here.
      if (/[\n\0]/.test(name)) return Promise.resolve(undefined)
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        child ??= start()
        child.stdin.write(`${name}\n`)
      })
    },
    close() {
      const running = child
      if (!running) return Promise.resolve()
      return new Promise((resolve) => {
        running.on('close', () => resolve())
        running.stdin.end()
      })
    },
  }
}
