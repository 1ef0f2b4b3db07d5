import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { INPUTS } from '../../src/action/inputs.ts'
import { OUTPUTS_OF } from '../../src/action/outputs.ts'
import { readInputs } from '../../src/action/read-inputs.ts'
import { readSettings, VARIABLES } from '../../src/app/environment.ts'
import { checkConfiguration } from '../../src/core/config/parse.ts'
import { type Given, given } from '../action/stage.ts'
import { fencesOf, PAGES } from './pages.ts'

const yaml = PAGES.flatMap(fencesOf).filter((fence) => fence.language === 'yaml')
const named = (fences: typeof yaml) => fences.map((fence) => [`${fence.path}:${fence.line}`, fence.text] as const)
const configurations = named(yaml.filter((fence) => fence.text.startsWith('schemaVersion:')))

describe('every configuration in the pages', () => {
  it('is found', () => {
    expect(configurations.map(([place]) => place.split(':')[0])).toEqual(['README.md', 'docs/configuration.md'])
  })

  it.each(configurations)('holds: %s', (_place, text) => {
    expect(checkConfiguration(text)).toMatchObject({ ok: true })
  })
})

describe('.github/ringmaster.example.yml', () => {
  const text = readFileSync('.github/ringmaster.example.yml', 'utf8')

  it('holds', () => {
    expect(checkConfiguration(text)).toMatchObject({ ok: true })
  })

  it('uses every key of the configuration', () => {
    const reference = readFileSync('docs/configuration.md', 'utf8').split('## Reference')[1] ?? ''
    const keys = [...reference.matchAll(/^\| `([A-Za-z]+)` \| /gm)].map(([, key]) => key)
    expect(keys.length).toBeGreaterThan(30)
    expect([...new Set(keys)].filter((key) => !new RegExp(`\\b${key}:`).test(text))).toEqual([])
  })
})

describe('ringmaster.env in docs/install.md', () => {
  const text =
    PAGES.filter((page) => page.path === 'docs/install.md')
      .flatMap(fencesOf)
      .find((fence) => fence.language === 'dotenv')?.text ?? ''
  const { privateKey: PRIVATE_KEY } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  /** With what a reader has and the page has not. */
  const read = (lines: string) => {
    const { PRIVATE_KEY_PATH: _, ...given } = parseEnv(lines) as Record<string, string>
    return readSettings({ ...given, PRIVATE_KEY, WEBHOOK_SECRET: 'a secret of our own' })
  }

  it('starts the server, with the secret filled in', () => {
    const required = VARIABLES.filter((variable) => variable.required).map(({ name }) => name)
    const names = Object.keys(parseEnv(text))
    expect(names.map((name) => name.replace('PRIVATE_KEY_PATH', 'PRIVATE_KEY')).sort()).toEqual(required.sort())
    expect(parseEnv(text)['WEBHOOK_SECRET']).toBe('')
    expect(read(text)).toMatchObject({ ok: true, value: { publication: null } })
  })

  it('publishes, with the sign before three lines taken away', () => {
    const published = text.replaceAll(/^#(?=[A-Z_]+=)/gm, '')
    expect(read(published)).toMatchObject({ ok: true, value: { publication: { place: { kind: 'directory' } } } })
  })
})

interface Step {
  readonly id?: string
  readonly uses?: string
  readonly with?: Readonly<Record<string, unknown>>
}
interface Job {
  readonly needs?: string | readonly string[]
  readonly if?: string
  readonly environment?: string
  readonly outputs?: Readonly<Record<string, string>>
  readonly permissions?: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
}

describe('the workflow in the README', () => {
  const text = yaml.find((fence) => fence.path === 'README.md' && fence.text.startsWith('name:'))?.text ?? ''
  const { jobs } = parse(text) as { jobs: Readonly<Record<string, Job>> }
  const steps = Object.values(jobs)
    .flatMap((job) => job.steps.map((step) => ({ job, step })))
    .filter(({ step }) => step.uses?.startsWith('OWNER/ringmaster@'))
  const inputsOf = (step: Step): Record<string, string> =>
    Object.fromEntries(
      Object.entries(step.with ?? {}).map(([name, value]) => [
        name,
        String(value)
          .replace('$' + '{{ job.status }}', 'success')
          .replace(/\$\{\{.*?\}\}/g, '1.2.3'),
      ]),
    )

  it.each(steps.map(({ step }, at) => [at + 1, step] as const))('gives step %i inputs that hold', (_at, step) => {
    expect(Object.keys(step.with ?? {}).filter((name) => !Object.hasOwn(INPUTS, name))).toEqual([])
    expect(readInputs(given(inputsOf(step) as Given))).toMatchObject({ ok: true, value: { unused: [] } })
  })

  it.each(steps.map(({ job, step }, at) => [at + 1, job, step] as const))(
    'lets the token of step %i do what it needs',
    (_at, job, step) => {
      const needed = { 'record-build': 'checks', 'record-deployment': 'deployments' }[String(step.with?.['command'])]
      expect(needed && job.permissions?.[needed]).toBe('write')
    },
  )

  it('records what a gated job deploys before that job, in a job that it needs', () => {
    const announced = Object.entries(jobs).flatMap(([name, job]) =>
      job.steps
        .filter((step) => step.with?.['status'] === 'pending')
        .map((step) => ({ name, environment: step.with?.['environment'] })),
    )
    expect(announced).toEqual([{ name: 'integration', environment: 'production' }])
    expect(jobs['production']).toMatchObject({ environment: 'production', needs: ['build', 'integration'] })
  })

  it('reads only outputs that are set', () => {
    const read = [...text.matchAll(/steps\.([a-z]+)\.outputs\.([a-z-]+)/g)].map(([, id, output]) => [id, output])
    expect(read).toEqual([['build', 'version']])
    expect(OUTPUTS_OF['record-build']).toContain('version')
  })

  it('deploys to the environments of the first configuration', () => {
    const first = configurations.find(([place]) => place.startsWith('README.md'))?.[1] ?? ''
    const { rings } = parse(first) as { rings: readonly { environments: readonly string[] }[] }
    const environments = new Set(rings.flatMap((ring) => ring.environments))
    expect(Object.values(jobs).flatMap((job) => (job.environment ? [job.environment] : []))).toEqual([...environments])
  })
})

/** The lists of steps in a part of a workflow, however deep. */
const stepsIn = (value: unknown): Step[][] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) =>
        key === 'steps' && Array.isArray(inner) ? [inner as Step[]] : stepsIn(inner),
      )

describe('every job in the pages that runs Ringmaster', () => {
  const jobs = yaml
    .filter((fence) => fence.text.includes('steps:'))
    .flatMap((fence) => stepsIn(parse(fence.text)).map((steps) => [`${fence.path}:${fence.line}`, steps] as const))
    .filter(([, steps]) => JSON.stringify(steps).includes('OWNER/ringmaster'))

  it('is found', () => {
    expect(jobs.length).toBeGreaterThan(6)
  })

  it.each(jobs)('sets Node.js up before: %s', (_place, steps) => {
    const uses = steps.map((step) => step.uses ?? '')
    const node = uses.findIndex((name) => name.startsWith('actions/setup-node@'))
    const runs = steps.findIndex(
      (step, at) => uses[at]?.startsWith('OWNER/ringmaster@') || JSON.stringify(step).includes('dist/cli'),
    )
    expect(node).toBeGreaterThanOrEqual(0)
    expect(runs).toBeGreaterThan(node)
  })
})
