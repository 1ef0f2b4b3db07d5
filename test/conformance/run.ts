import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Suite, SuiteResult } from './suite.ts'

const suiteNames = ['resolution', 'phasing', 'static', 'commands', 'signoff', 'bump'] as const
type SuiteName = (typeof suiteNames)[number]

const isSuiteName = (name: string): name is SuiteName => suiteNames.some((known) => known === name)

/** Says on standard error what is wrong with the call, and ends with the exit code of bad input. */
function refuse(message: string): never {
  process.stderr.write(`${message}\nUsage: npm run conformance -- ${suiteNames.join('|')} [FILE]\n`)
  process.exit(2)
}

/** Each suite is loaded only when it is asked for: its module exports `<name>Suite`. */
async function loadSuite(name: SuiteName): Promise<Suite> {
  const address = new URL(`./${name}.js`, import.meta.url)
  if (!existsSync(address)) refuse(`The suite ${name} is not part of this checkout.`)
  const exported: Record<string, unknown> = await import(address.href)
  const suite = exported[`${name}Suite`]
  if (!isSuite(suite)) throw new Error(`expected ${name}.ts to export ${name}Suite`)
  return suite
}

function isSuite(value: unknown): value is Suite {
  return typeof value === 'object' && value !== null && 'files' in value && 'run' in value
}

async function runFile(suite: Suite, file: string): Promise<SuiteResult> {
  try {
    const result = await suite.run(file)
    if (result.passed + result.failed.length > 0) return result
    return { passed: 0, failed: [{ id: file, why: 'holds no case' }] }
  } catch (error) {
    return { passed: 0, failed: [{ id: file, why: error instanceof Error ? error.message : String(error) }] }
  }
}

const [name = '', ...given] = process.argv.slice(2)
if (!isSuiteName(name)) refuse(name === '' ? 'Which suite?' : `There is no suite ${JSON.stringify(name)}.`)
const suite = await loadSuite(name)
const files = given.length > 0 ? given.map((file) => resolve(file)) : suite.files
const missing = files.filter((file) => !existsSync(file))
if (missing.length > 0) refuse(`No case file at ${missing.join(', ')}; name one as FILE.`)

let passed = 0
let failed = 0
for (const file of files) {
  const result = await runFile(suite, file)
  passed += result.passed
  failed += result.failed.length
  for (const { id, why } of result.failed) process.stdout.write(`FAIL ${id}: ${why.replaceAll(/\s*\n\s*/g, ' ')}\n`)
}
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
