import { appendFileSync } from 'node:fs'
import type { Problem } from '../core/problem.ts'
import { truncate } from '../render/text.ts'

/**
 * How a step speaks to the runner: files for outputs and the summary, commands on standard output for annotations
 * (https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands). Our own, because the toolkit's
 * package loads an HTTP client on import, and that alone would double the cold start of a bump.
 */
export interface Runner {
  setOutput(name: string, value: string): void
  appendSummary(markdown: string): void
  /** A line of the log. Line breaks become blanks, so that no text can pose as a command. */
  say(line: string): void
  annotate(level: 'warning' | 'error', problem: Problem): void
}

/** The runner cuts a summary off above 1 MiB with an error; this leaves room for characters of several bytes. */
const MAX_SUMMARY_BYTES = 1024 * 1024
/** Annotations above 64 KiB are refused, and nobody reads one above this. */
const MAX_ANNOTATION_LENGTH = 4_000

const escapeData = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const escapeProperty = (text: string): string => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

/** One sentence for a problem: what was expected and found, then what to do. */
export const sentenceOf = (problem: Problem): string =>
  problem.hint === undefined ? problem.message : `${problem.message}; ${problem.hint}`

const propertiesOf = (problem: Problem, title: string): string =>
  [
    ['title', title],
    // Only a problem with a line is about a file; the path of the others names a field.
    ...(problem.line === undefined
      ? []
      : [
          ['file', problem.path ?? ''],
          ['line', String(problem.line)],
        ]),
  ]
    .map(([name = '', value = '']) => `${name}=${escapeProperty(value)}`)
    .join(',')

/** The runner that `environment` names; `print` gets whole lines without their line feed. */
export function runnerOf(environment: Readonly<NodeJS.ProcessEnv>, print: (line: string) => void): Runner {
  const say = (line: string): void => print(line.replace(/[\r\n]+/g, ' ').replace(/^\s*(::|##\[)/, '\u200b$1'))
  return {
    say,
    setOutput(name, value) {
      const file = environment['GITHUB_OUTPUT']
      // Outside a workflow there is nobody to hand it to, so the reader gets it.
      if (!file) return say(`${name}=${value}`)
      const end = endFor(value)
      appendFileSync(file, `${name}<<${end}\n${value}\n${end}\n`)
    },
    appendSummary(markdown) {
      const file = environment['GITHUB_STEP_SUMMARY']
      if (file) appendFileSync(file, `${cutToBytes(markdown, MAX_SUMMARY_BYTES - 1)}\n`)
    },
    annotate(level, problem) {
      const text = escapeData(truncate(sentenceOf(problem), MAX_ANNOTATION_LENGTH))
      print(`::${level} ${propertiesOf(problem, `Ringmaster: ${problem.code}`)}::${text}`)
    },
  }
}

/**
 * A mark that the value does not hold, so that no text can end it early: one stroke longer than any row of strokes in
 * it. Looking is surer than chance, and sooner: random numbers would load the whole of cryptography.
 */
function endFor(value: string): string {
  const longest = value.match(/-+/g)?.reduce((most, strokes) => Math.max(most, strokes.length), 0) ?? 0
  return `ringmaster-end-${'-'.repeat(longest)}`
}

function cutToBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text
  const cut = Buffer.from(text)
    .subarray(0, maxBytes - 3)
    .toString('utf8')
  // A line cut in two may leave a table or a fence open, so it ends at a whole one.
  return cut.slice(0, Math.max(cut.lastIndexOf('\n'), 0))
}
