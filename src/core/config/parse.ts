import { type Document, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import type { z } from 'zod'
import { sha256 } from '../json.ts'
import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import { type Place, placeText, valueAt } from './place.ts'
import { proposalFindings } from './proposal-rules.ts'
import { type ConfigProblem, type Finding, findings, inOrder } from './rules.ts'
import { type Salvaged, salvage } from './salvage.ts'
import { Configuration } from './schema.ts'
import { expectedText, foundText } from './wording.ts'

export const CONFIG_PATH = '.github/ringmaster.yml'
const MAX_BYTES = 384 * 1024

/** A configuration in force: its rules, and the digest of its exact text under which the ledger keeps it. */
export interface ParsedConfiguration {
  readonly configuration: Configuration
  readonly digest: `sha256:${string}`
}

/** The 1-based line that a place is written at, where it is. */
type LineAt = (place: Place) => { readonly line?: number }

type Parsed = Checked<ParsedConfiguration, ConfigProblem['code']>

/**
 * Reads a configuration. Strict: an unknown key is an error. Reports all problems at once, each with file, line, what
 * was expected and what was found.
 */
export const parseConfiguration = (text: string, path = CONFIG_PATH): Parsed => parse(text, path, () => [])

/**
 * Reads a configuration that is proposed, as `parseConfiguration` does, and refuses also what could not be meant. What
 * was accepted is never read by this: it stays in force, and decisions under it come out the same again.
 */
export const checkConfiguration = (text: string, path = CONFIG_PATH): Parsed => parse(text, path, proposalFindings)

function parse(text: string, path: string, moreFindings: (configuration: Configuration) => readonly Finding[]): Parsed {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    return rejected({
      code: 'too-large',
      message: `expected at most ${MAX_BYTES} bytes, found ${Buffer.byteLength(text)}`,
      hint: 'Remove what is not needed.',
      path,
    })
  }
  const written = readYaml(text)
  if (!written.ok) return rejected(...written.problems.map((problem) => ({ ...problem, path })))
  const { value, lineAt } = written.value
  if (value === null || value === undefined) return rejected({ ...emptyFile(text), path })
  const strict = Configuration.safeParse(value)
  const schemaProblems = strict.success ? [] : strict.error.issues.flatMap((issue) => toProblems(issue, value, lineAt))
  /** What does not fit the schema does not keep the rest from being looked at: everything wrong is told together. */
  const { configuration, placeOf, holds } = strict.success ? asItIs(strict.data) : salvage(value)
  /** What was left out might have been what these look for. */
  const more = strict.success ? moreFindings(configuration) : []
  const broken = [...findings(configuration).filter(holds), ...more]
  const problems = [...schemaProblems, ...broken.map((finding) => toProblem(finding, lineAt, placeOf))].map(
    (problem) => ({ ...problem, path }),
  )
  if (!strict.success || problems.length > 0) return rejected(...problems)
  return accepted({ configuration: inOrder(strict.data), digest: sha256(text) })
}

const asItIs = (configuration: Configuration): Salvaged => ({
  configuration,
  placeOf: (place) => place,
  holds: () => true,
})

const emptyFile = (text: string): Problem => ({
  code: 'schema',
  message: `expected a configuration, found ${text.trim() === '' ? 'an empty file' : 'a file without any content'}`,
  hint: 'docs/configuration.md has one to begin with.',
  line: 1,
})

function readYaml(text: string): Checked<{ value: unknown; lineAt: LineAt }, 'yaml'> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false })
  /** Warnings are tags that mean nothing here: what they were to do would silently not happen. */
  const errors = [...document.errors, ...document.warnings].map((error) => ({
    code: 'yaml' as const,
    message: `expected YAML, found: ${error.message.split('\n')[0] ?? ''}`,
    line: lines.linePos(error.pos[0]).line,
  }))
  const problems = errors.length > 0 ? errors : repeatedKeys(document, lines)
  if (problems.length > 0) return rejected(...problems)
  /** The line of the nearest written ancestor of a place, for what is missing has no line of its own. */
  const lineAt: LineAt = (place) => {
    for (let length = place.length; length >= 0; length -= 1) {
      const node = length === 0 ? document.contents : document.getIn(place.slice(0, length), true)
      if (isNode(node) && node.range) return { line: lines.linePos(node.range[0]).line }
    }
    return {}
  }
  try {
    return accepted({ value: document.toJS(), lineAt })
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    return rejected({ code: 'yaml', message: `expected few aliases, found: ${found}` })
  }
}

/** Every key that its mapping has already. In one pass: the parser's own check compares each key with each other. */
function repeatedKeys(document: Document, lines: LineCounter): (Problem & { code: 'yaml' })[] {
  const problems: (Problem & { code: 'yaml' })[] = []
  visit(document, {
    Map(_key, map) {
      const seen = new Set<string>()
      for (const { key } of map.items) {
        const name = isScalar(key) ? `${typeof key.value} ${String(key.value)}` : ''
        if (!isScalar(key) || !seen.has(name)) seen.add(name)
        else {
          problems.push({
            code: 'yaml',
            message: `expected each key of a mapping once, found ${quoted(String(key.value))} again`,
            hint: 'Remove one of the two, or bring them together.',
            line: lines.linePos(key.range?.[0] ?? 0).line,
          })
        }
      }
    },
  })
  return problems
}

type SchemaIssue = z.core.$ZodIssue
type Problem = Omit<ConfigProblem, 'path'>

/** Of one mapping. Finding the line of a key is as much work as the mapping is long. */
const MAX_KEYS_TOLD = 100

function toProblems(issue: SchemaIssue, value: unknown, lineAt: LineAt): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const told = issue.keys.slice(0, MAX_KEYS_TOLD).map(
      (key): Problem => ({
        code: 'schema',
        message: `expected only known keys in ${placeText(issue.path)}, found ${quoted(key)}`,
        hint: 'Check the spelling against the configuration reference.',
        ...lineAt([...issue.path, key]),
      }),
    )
    const more = issue.keys.length - told.length
    if (more === 0) return told
    const message = `expected only known keys in ${placeText(issue.path)}, found ${more} more`
    return [...told, { code: 'schema', message, ...lineAt(issue.path) }]
  }
  const found = valueAt(value, issue.path)
  const expected = expectedText(issue)
  return [
    {
      code: 'schema',
      message: `${placeText(issue.path)}: ${expected}${expected.includes(', found ') ? '' : `, found ${foundText(found)}`}`,
      ...hintFor(issue, found),
      ...lineAt(issue.path),
    },
  ]
}

/** YAML reads 1.5 as a number, and 1.10 as the same number as 1.1. */
const hintFor = (issue: SchemaIssue, found: unknown): { hint?: string } =>
  issue.code === 'invalid_type' && issue.expected === 'string' && typeof found === 'number'
    ? { hint: 'Put it into quotes: it is text.' }
    : {}

function toProblem({ code, path, first, message, hint }: Finding, lineAt: LineAt, placeOf: PlaceOf): Problem {
  const place = placeOf(path)
  const before = first === undefined ? '' : ` (first at ${placeText(placeOf(first))})`
  return { code, message: `${placeText(place)}: ${message}${before}`, hint, ...lineAt(place) }
}

type PlaceOf = (place: Place) => Place
