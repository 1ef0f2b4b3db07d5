import { type Problem, RingmasterError } from '../core/problem.ts'
import type { CommandIo } from './command.ts'

/** A problem for people: its code, where it is unless the sentence says so itself, and in a line below what to do. */
export function problemText({ code, message, hint, path, line }: Problem): string {
  const place = path === undefined || message.includes(path) ? '' : `${path}${line === undefined ? '' : `:${line}`}: `
  return `${code}: ${place}${message}${hint ? `\n  ${hint}` : ''}`
}

/** Warnings go to standard error, so that the answer can be piped. */
export function sayWarnings(warnings: readonly Problem[], io: CommandIo): void {
  for (const warning of warnings) io.err(problemText(warning))
}

/** What GitHub or the network did is no bug of ours: such an error by its name and code, any other as it is. */
export async function withNamedTrouble(error: unknown): Promise<unknown> {
  if (error instanceof RingmasterError || !(error instanceof Error) || !/^(?:Http|Graphql)/.test(error.name))
    return error
  const { translated } = await import('../github/trouble.ts')
  const { code, message } = translated('ask GitHub', error)
  const hint = 'Check the token and the network, and try it again; a clone can be read without GitHub.'
  return new RingmasterError('outside', { code, message, hint }, { cause: error })
}
