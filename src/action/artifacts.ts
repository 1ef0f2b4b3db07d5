import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { accepted, type Checked, type Problem, quoted, rejected } from '../core/problem.ts'
import { Artifact } from '../core/product/schema.ts'
import { findWithin } from '../git/checkout-file.ts'

export type ArtifactProblemCode = 'artifact-unreadable' | 'artifact-invalid' | 'artifact-repeated'

/** An artifact as the input names it: a file of the workspace to measure, or one that was measured elsewhere. */
const GivenArtifact = z.union([
  Artifact.omit({ size: true, sha256: true }).extend({ path: z.string().min(1) }),
  Artifact,
])
type GivenArtifact = z.infer<typeof GivenArtifact>

/**
 * Reads the input `artifacts` and measures each file named in it. All problems at once. The order is the input's own;
 * the same name and target twice is refused, because a device could not tell them apart.
 */
export async function readArtifacts(
  text: string | null,
  workspace: string,
): Promise<Checked<Artifact[], ArtifactProblemCode>> {
  const given = parseArtifacts(text ?? '')
  if (!given.ok) return given
  const measured = await Promise.all(given.value.map((artifact) => measure(artifact, workspace)))
  const problems = measured.flatMap((result) => (result.ok ? [] : result.problems))
  const artifacts = measured.flatMap((result) => (result.ok ? [result.value] : []))
  problems.push(...repeated(given.value))
  return problems.length > 0 ? { ok: false, problems } : accepted(artifacts)
}

const parseArtifacts = (text: string): Checked<GivenArtifact[], ArtifactProblemCode> =>
  text.trimStart().startsWith('[') ? fromJson(text) : fromLines(text)

function fromJson(text: string): Checked<GivenArtifact[], ArtifactProblemCode> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    return rejected({
      code: 'artifact-invalid',
      message: `expected JSON as input artifacts, found ${quoted(found)}`,
      path: 'artifacts',
    })
  }
  return checkAll(Array.isArray(value) ? value : [value], (at) => `artifacts[${at}]`)
}

function fromLines(text: string): Checked<GivenArtifact[], ArtifactProblemCode> {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return checkAll(
    lines.map((line) => {
      const [name, path, url, target, ...rest] = line.split(/[ \t]+/)
      return rest.length > 0 ? { line } : { name, path, url, ...(target === undefined ? {} : { target }) }
    }),
    (at) => `artifacts, line ${at + 1}`,
  )
}

function checkAll(
  values: readonly unknown[],
  placeOf: (at: number) => string,
): Checked<GivenArtifact[], ArtifactProblemCode> {
  const problems: Problem<ArtifactProblemCode>[] = []
  const artifacts: GivenArtifact[] = []
  for (const [at, value] of values.entries()) {
    const read = GivenArtifact.safeParse(value)
    if (read.success) artifacts.push(read.data)
    else problems.push(invalid(placeOf(at), value))
  }
  return problems.length > 0 ? { ok: false, problems } : accepted(artifacts)
}

const invalid = (path: string, found: unknown): Problem<ArtifactProblemCode> => ({
  code: 'artifact-invalid',
  message: `expected an artifact with name, https address, and a path or a size with sha256, found ${quoted(found)}`,
  hint: 'write `name path url [target]` on a line of its own, or JSON where a name or a path holds blanks',
  path,
})

const repeated = (artifacts: readonly GivenArtifact[]): Problem<ArtifactProblemCode>[] => {
  const seen = new Set<string>()
  return artifacts.flatMap(({ name, target }) => {
    const key = JSON.stringify([name, target ?? null])
    const twice = seen.has(key)
    seen.add(key)
    if (!twice) return []
    return [
      {
        code: 'artifact-repeated' as const,
        message: `expected each artifact once, found ${quoted(name)} twice`,
        path: 'artifacts',
      },
    ]
  })
}

async function measure(given: GivenArtifact, workspace: string): Promise<Checked<Artifact, ArtifactProblemCode>> {
  if (!('path' in given)) return accepted(given)
  const { path, ...rest } = given
  const unreadable = (found: string): Checked<Artifact, ArtifactProblemCode> =>
    rejected({
      code: 'artifact-unreadable',
      message: `expected ${quoted(path)} to be a file of the workspace, found ${found}`,
      hint: 'paths begin at the workspace, or are absolute and inside it',
      path: 'artifacts',
    })
  const found = await findWithin(workspace, '.', path)
  if ('why' in found) return unreadable(found.found)
  try {
    return accepted({ ...rest, ...(await digestOfFile(found.file)) })
  } catch (error) {
    return unreadable(quoted(String(error)))
  }
}

/** Size and digest of the same bytes in one pass, whatever the file's length. */
async function digestOfFile(path: string): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256')
  let size = 0
  await pipeline(createReadStream(path), async (chunks) => {
    for await (const chunk of chunks) {
      size += (chunk as Buffer).length
      hash.update(chunk as Buffer)
    }
  })
  return { size, sha256: hash.digest('hex') }
}
