import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const PACKED = /^([0-9a-f]{40,64}) refs\/tags\/(.+)$/
const SHA = /^[0-9a-f]{40,64}$/

/** Tags as their own files say them, which spares the start of one git. */
export interface PlainTags {
  readonly names: readonly string[]
  /** The commit that a tag leads to; null where only git can say. */
  commitOf(name: string): Promise<string | null>
}

/**
 * The tags of an ordinary checkout, whatever they lead to; null wherever its files say anything else than expected, and
 * git is to be asked. A loose tag hides the packed one of its name, as for git.
 */
export function readPlainTags(directory: string): PlainTags | null {
  const folder = join(directory, '.git')
  try {
    const packed = readPacked(folder)
    const loose = new Map<string, string>()
    addLoose(join(folder, 'refs', 'tags'), '', loose)
    return {
      names: [...new Set([...packed.keys(), ...loose.keys()])],
      commitOf: async (name) => {
        const object = loose.get(name)
        return object === undefined ? (packed.get(name) ?? null) : peeled(folder, object)
      },
    }
  } catch {
    return null
  }
}

/** Each packed tag with the object that it peels to, where the file tells of all of them: then none below is a tag itself. */
function readPacked(folder: string): Map<string, string | null> {
  const packed = new Map<string, string | null>()
  const lines = textOrEmpty(join(folder, 'packed-refs')).split('\n')
  const isPeeled = /^# pack-refs with:.*\b(?:fully-)?peeled\b/.test(lines[0] ?? '')
  lines.forEach((line, at) => {
    const [, sha = '', name] = PACKED.exec(line) ?? []
    if (name === undefined) return
    const next = lines[at + 1] ?? ''
    packed.set(name, isPeeled ? (next.startsWith('^') ? next.slice(1) : sha) : null)
  })
  return packed
}

function textOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

function addLoose(folder: string, prefix: string, found: Map<string, string>): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const name = `${prefix}${entry.name}`
    const path = join(folder, entry.name)
    if (entry.isDirectory()) addLoose(path, `${name}/`, found)
    else if (!entry.name.endsWith('.lock')) found.set(name, readFileSync(path, 'latin1').trimEnd())
  }
}

const TAG_OBJECT = /^tag \d+\0object ([0-9a-f]{40,64})\ntype commit\n/
const COMMIT_OBJECT = /^commit \d+\0/

/** What an object that is a file of its own leads to; null for what is packed away, and for tags of other things. */
async function peeled(folder: string, object: string): Promise<string | null> {
  if (!SHA.test(object)) return null
  try {
    // Loaded late: most tags of a clone are packed.
    const { inflateSync } = await import('node:zlib')
    const bytes = inflateSync(readFileSync(join(folder, 'objects', object.slice(0, 2), object.slice(2))))
    const head = bytes.subarray(0, 200).toString('latin1')
    return COMMIT_OBJECT.test(head) ? object : (TAG_OBJECT.exec(head)?.[1] ?? null)
  } catch {
    return null
  }
}
