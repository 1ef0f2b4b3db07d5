import { isNode, LineCounter, parseDocument } from 'yaml'
import { sha256 } from '../json.ts'
import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import { type ConfigProblem, findings, inOrder } from './rules.ts'
import { Configuration } from './schema.ts'

export const CONFIG_PATH = '.github/ringmaster.yml'
const MAX_BYTES = 384 * 1024

/** A configuration in force: its rules, and the digest of its exact text under which the ledger keeps it. */
export interface ParsedConfiguration {
  readonly configuration: Configuration
  readonly digest: `sha256:${string}`
}

/**
 * Reads a configuration. Strict: an unknown key is an error. Reports all problems at once, each with file, line, what
 * was expected and what was found.
 */
export function parseConfiguration(
  text: string,
  path = CONFIG_PATH,
): Checked<ParsedConfiguration, ConfigProblem['code']> {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    return rejected({
      code: 'too-large',
      message: `expected at most ${MAX_BYTES} bytes, found ${Buffer.byteLength(text)}`,
      hint: 'Divide the configuration or remove what is not needed.',
      path,
    })
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const lineOf = (offset: number | undefined): { line: number } | Record<string, never> =>
    offset === undefined ? {} : { line: lines.linePos(offset).line }
  if (document.errors.length > 0) {
    return rejected(
      ...document.errors.map((error) => ({
        code: 'yaml' as const,
        message: `expected YAML, found: ${error.message.split('\n')[0] ?? ''}`,
        path,
        ...lineOf(error.pos[0]),
      })),
    )
  }
  const value = plainValue(document)
  if (value instanceof Error) {
    return rejected({ code: 'yaml', message: `expected few aliases, found: ${value.message}`, path })
  }
  /** The line of the nearest written ancestor of a place, for what is missing has no line of its own. */
  const lineAt = (place: readonly PropertyKey[]): { line: number } | Record<string, never> => {
    for (let length = place.length; length >= 0; length -= 1) {
      const node = length === 0 ? document.contents : document.getIn(place.slice(0, length), true)
      if (isNode(node) && node.range) return lineOf(node.range[0])
    }
    return {}
  }
  const read = Configuration.safeParse(value)
  if (!read.success) {
    return rejected(
      ...read.error.issues.flatMap((issue) => {
        const at = (keys: readonly PropertyKey[]) => keys.map(String).join('.') || 'the file'
        if (issue.code === 'unrecognized_keys') {
          return issue.keys.map((key) => ({
            code: 'schema' as const,
            message: `expected only known keys in ${at(issue.path)}, found ${quoted(key)}`,
            hint: 'Check the spelling against the configuration reference.',
            path,
            ...lineAt([...issue.path, key]),
          }))
        }
        const found = at(issue.path) === 'the file' ? value : valueAt(value, issue.path)
        return [
          {
            code: 'schema' as const,
            message: `${at(issue.path)}: ${issue.message}, found ${found === undefined ? 'nothing' : quoted(found)}`,
            path,
            ...lineAt(issue.path),
          },
        ]
      }),
    )
  }
  const broken = findings(read.data)
  if (broken.length > 0) {
    return rejected(
      ...broken.map((finding) => ({
        code: finding.code,
        message: `${finding.path.join('.')}: ${finding.message}`,
        hint: finding.hint,
        path,
        ...lineAt(finding.path),
      })),
    )
  }
  return accepted({ configuration: inOrder(read.data), digest: sha256(text) })
}

/** The value of a document, or the error of one whose aliases multiply beyond reason. */
function plainValue(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function valueAt(value: unknown, place: readonly PropertyKey[]): unknown {
  let current: unknown = value
  for (const key of place) {
    if (current === null || typeof current !== 'object') return undefined
    current = Object.hasOwn(current, key) ? (current as Record<PropertyKey, unknown>)[key] : undefined
  }
  return current
}
