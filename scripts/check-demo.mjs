// Plays `npm run demo` and holds it to what README.md promises: it ends well and leaves nothing behind. The 90 seconds are
// of an idle machine: beyond them it is said, beyond twice as long it fails.
// Reads /proc, so it runs on Linux.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const PROMISED_MS = 90_000
const LIMIT_MS = 2 * PROMISED_MS
/** How long processes that were told to end may take for it. */
const GRACE_MS = 3_000

/** A text of a process, or nothing where it has ended meanwhile or is somebody else's. */
const read = (pid, name) => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}

/** The processes that live in a session, or that the directory was given to: steps of workflows have sessions of their own. */
const alive = (session, directory) =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      const stat = read(pid, 'stat')
      /** After the name, which may hold anything: state, parent, group, session. A zombie runs no more. */
      const [state, , , ofSession] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (stat === '' || state === 'Z' || state === 'X') return false
      return Number(ofSession) === session || `${read(pid, 'environ')}${read(pid, 'cmdline')}`.includes(directory)
    })
    .map((pid) => ({ pid: Number(pid), command: read(pid, 'cmdline').replaceAll('\0', ' ').trim() }))

/** As `alive`, when those that are just ending have ended. */
async function leftOver(session, directory) {
  const until = Date.now() + GRACE_MS
  let left = alive(session, directory)
  while (left.length > 0 && Date.now() < until) {
    await pause(100)
    left = alive(session, directory)
  }
  return left
}

const directory = mkdtempSync(join(tmpdir(), 'ringmaster-demo-'))
const started = Date.now()
const demo = spawn('npm', ['run', 'demo'], {
  detached: true,
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, TMPDIR: directory },
})
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    process.kill(-demo.pid, signal)
    process.exit(1)
  })
}
const [code] = await Promise.race([once(demo, 'exit'), pause(LIMIT_MS, [null], { ref: false })])
const seconds = ((Date.now() - started) / 1_000).toFixed(0)
const problems = []
if (code === null) problems.push(`expected the demo to end within ${LIMIT_MS / 1_000} seconds, found it still playing`)
else if (code !== 0) problems.push(`expected the demo to end with 0, found ${code}`)
const left = code === null ? alive(demo.pid, directory) : await leftOver(demo.pid, directory)
if (code !== null) {
  for (const { pid, command } of left) problems.push(`expected no process to be left, found ${pid}: ${command}`)
  for (const name of readdirSync(directory))
    problems.push(`expected no file to be left, found ${join(directory, name)}`)
}
for (const { pid } of left) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
for (const problem of problems) process.stderr.write(`${problem}\n`)
process.stdout.write(`The demo took ${seconds} s; README.md promises ${PROMISED_MS / 1_000} on an idle machine.\n`)
process.exit(problems.length > 0 ? 1 : 0)
