import type { Problem } from '../core/problem.ts'
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
