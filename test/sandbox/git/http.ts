import { spawn } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { canSee, may } from '../access.ts'
import type { Incoming } from '../front.ts'
import { accountOf, type Identity } from '../identity.ts'
import { type Answer, decode } from '../router.ts'
import { rulesInForce, ruleViolations } from '../rulesets.ts'
import { type Repository, repositoryByName } from '../store.ts'
import type { World } from '../world.ts'
import { gitEnvironment } from './process.ts'
import { announcePush } from './ref-update.ts'
import { zeroOid } from './repository.ts'

const service = /^\/([^/]+)\/([^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/

const text = (status: number, message: string, headers: Record<string, string> = {}): Answer => ({
  status,
  raw: Buffer.from(message),
  headers: { 'content-type': 'text/plain', ...headers },
})
const askCredential = () => text(401, 'Authentication required', { 'www-authenticate': 'Basic realm="GitHub"' })

/** git's smart HTTP by `git http-backend`; undefined when the path is none of git's. */
export async function serveGit(world: World, identity: Identity, incoming: Incoming): Promise<Answer | undefined> {
  const match = service.exec(incoming.path)
  if (!match) return undefined
  const [, owner = '', name = '', what = ''] = match
  const isPush = what === 'git-receive-pack' || incoming.query.get('service') === 'git-receive-pack'
  const repository = repositoryByName(world.store, decode(owner), decode(name))
  if (!repository || !canSee(world.store, identity, repository)) {
    return identity.kind === 'anonymous' ? askCredential() : text(404, 'Repository not found.')
  }
  if (isPush && identity.kind === 'anonymous') return askCredential()
  if (!may(world.store, identity, repository, ['contents'], isPush ? 'write' : 'read')) {
    return text(403, `Permission to ${owner}/${name}.git denied to ${accountOf(identity)?.login ?? 'nobody'}.`)
  }
  return what === 'git-receive-pack'
    ? receive(world, identity, repository, incoming)
    : backend(world, repository, incoming, what)
}

/**
 * A push: what the rulesets refuse outright and what they refuse only when it is no fast-forward goes to a hook, which
 * alone sees the new objects; refs that moved are announced afterwards.
 */
async function receive(world: World, identity: Identity, repository: Repository, incoming: Incoming): Promise<Answer> {
  const git = world.gitOf(repository)
  await installHook(git.directory)
  return world.locked(`refs:${repository.id}`, async () => {
    const commands = readCommands(bodyOf(incoming))
    const refused: string[] = []
    const noForce: string[] = []
    for (const { ref, before, after } of commands) {
      const kind = before === zeroOid ? 'create' : after === zeroOid ? 'delete' : 'update'
      const [first] = ruleViolations(world, repository, identity, { ref, kind, isForced: false, isMerge: false })
      if (first !== undefined) refused.push(`${ref} ${first}`)
      const inForce = rulesInForce(world, repository, identity, ref, false)
      if (inForce.some(({ rule }) => rule.type === 'non_fast_forward')) noForce.push(ref)
    }
    const env = { SANDBOX_REFUSED: refused.join('\n'), SANDBOX_NO_FORCE: noForce.join('\n') }
    const before = await Promise.all(commands.map(({ ref }) => git.readRef(ref)))
    const answer = await backend(world, repository, incoming, 'git-receive-pack', env)
    const by = accountOf(identity)
    for (const [i, { ref }] of commands.entries()) {
      const [was, is] = [before[i] ?? zeroOid, (await git.readRef(ref)) ?? zeroOid]
      if (!by || was === is) continue
      const forced = was !== zeroOid && is !== zeroOid && !(await git.isAncestor(was, is))
      await announcePush(world, { repository, ref, before: was, after: is, forced, by })
    }
    return answer
  })
}

const hook = `#!/bin/sh
status=0
while read -r before after ref; do
  refused=$(printf '%s\\n' "$SANDBOX_REFUSED" | grep -F -- "$ref " | head -n 1)
  if [ -n "$refused" ]; then
    echo "error: GH013: Repository rule violations found for $ref." >&2
    echo "- \${refused#* }" >&2
    status=1
  elif printf '%s\\n' "$SANDBOX_NO_FORCE" | grep -F -x -q -- "$ref"; then
    case "$before$after" in *0000000000000000000000000000000000000000*) continue ;; esac
    if ! git merge-base --is-ancestor "$before" "$after"; then
      echo "error: GH013: Repository rule violations found for $ref." >&2
      echo "- Cannot force-push to this branch" >&2
      status=1
    fi
  fi
done
exit $status
`

async function installHook(directory: string): Promise<void> {
  const file = join(directory, 'hooks', 'pre-receive')
  await mkdir(join(directory, 'hooks'), { recursive: true })
  await writeFile(file, hook)
  await chmod(file, 0o755)
}

const bodyOf = ({ headers, bytes }: Incoming): Buffer =>
  headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes

/** The pkt-lines `old new ref\0capabilities` before the first flush. */
function readCommands(bytes: Buffer): { before: string; after: string; ref: string }[] {
  const commands: { before: string; after: string; ref: string }[] = []
  for (let at = 0; at + 4 <= bytes.length; ) {
    const size = Number.parseInt(bytes.toString('latin1', at, at + 4), 16)
    if (!(size > 4)) break
    const line = bytes.toString('utf8', at + 4, at + size).replace(/\n$/, '')
    const [command = ''] = line.split('\0')
    const [before = '', after = '', ...ref] = command.split(' ')
    if (/^[0-9a-f]{40}$/.test(before) && /^[0-9a-f]{40}$/.test(after))
      commands.push({ before, after, ref: ref.join(' ') })
    at += size
  }
  return commands
}

function backend(
  world: World,
  repository: Repository,
  incoming: Incoming,
  what: string,
  extra: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const body = bodyOf(incoming)
  const env = {
    ...gitEnvironment(),
    GIT_PROJECT_ROOT: join(world.directory, 'git'),
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/${repository.id}.git/${what}`,
    REQUEST_METHOD: incoming.method,
    QUERY_STRING: incoming.query.toString(),
    CONTENT_TYPE: String(incoming.headers['content-type'] ?? ''),
    CONTENT_LENGTH: String(body.length),
    GIT_PROTOCOL: String(incoming.headers['git-protocol'] ?? ''),
    REMOTE_USER: 'sandbox',
    REMOTE_ADDR: '127.0.0.1',
    ...extra,
  }
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['http-backend'], { env })
    const out: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stdin.on('error', () => {})
    child.stderr.resume()
    child.on('error', reject)
    child.on('close', () => resolve(readCgi(Buffer.concat(out))))
    child.stdin.end(body)
  })
}

function readCgi(bytes: Buffer): Answer {
  const end = bytes.indexOf('\r\n\r\n')
  const headers: Record<string, string> = {}
  for (const line of bytes.toString('latin1', 0, Math.max(0, end)).split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const status = Number(headers['status']?.slice(0, 3) ?? 200)
  delete headers['status']
  return { status: end < 0 ? 500 : status, headers, raw: end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 4) }
}
