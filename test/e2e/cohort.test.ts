import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { openIssue, person, proposals, review, say, signoffCheck } from './story/github.ts'
import { expectDone, logged, newPlot, SCENES, signBundles } from './story/scenes.ts'
import { COHORT } from './story/seed.ts'
import { type CommandResult, eventually, type Stage, setStage } from './story/stage.ts'
import { build, deploy, PRODUCTS, succeeded } from './story/workflows.ts'

const FIRMWARE = PRODUCTS.firmware
const DEVICES = ['one', 'two', 'three'] as const

let stage: Stage | undefined
afterEach(async () => {
  await stage?.stop()
  stage = undefined
})

const done = async (result: Promise<CommandResult>): Promise<CommandResult> => expectDone(await result)

/** A new version of the firmware, built, deployed ring by ring, signed off by both parties, and signed for devices. */
async function release(set: Stage, message: string): Promise<string> {
  const at = { owner: 'acme', repo: 'edge', path: 'main.c' } as const
  const { rest } = person(set, 'dora')
  const { data: file } = await rest.repos.getContent(at)
  const content = Buffer.from(`/* ${message} */ int main(void) { return 2; }\n`).toString('base64')
  await rest.repos.createOrUpdateFileContents({ ...at, sha: Array.isArray(file) ? '' : file.sha, message, content })
  const run = await succeeded(await build(set, FIRMWARE), 'build')
  const version = run.job('build').outputs.get('version') ?? ''
  for (const environment of ['integration', 'beta'])
    await succeeded(await deploy(set, FIRMWARE, version, environment), 'deploy')
  const issue = await openIssue(set, 'ann', `Ship ${version}`)
  await say(set, 'ann', issue, '/release')
  await eventually('the version in the release', async () =>
    (await say(set, 'ann', issue, `/add ${FIRMWARE.name}@${version}`)).includes('is in the release') ? true : undefined,
  )
  await say(set, 'ann', issue, '/start')
  const proposal = await eventually(
    'a proposal',
    async () => (await proposals(set)).find(({ state }) => state === 'open')?.number,
  )
  await review(set, 'eve', proposal, 'APPROVE')
  await review(set, 'quinn', proposal, 'APPROVE')
  await signoffCheck(set, proposal, 'the sign-off', (_title, conclusion) => conclusion === 'success')
  await succeeded(await deploy(set, FIRMWARE, version, 'production'), 'deploy')
  await logged(
    set,
    'the second channel release',
    ['--type', 'channel.released'],
    (text) => text.trim().split('\n').length === 2,
  )
  await signBundles(set, join(set.directory, 'public', 'metadata', '1.bundles-main.json'))
  return version
}

/** What each device is told, as it stands: it runs the version given. */
async function asked(set: Stage, running: string): Promise<string[]> {
  const answers = await Promise.all(
    DEVICES.map((name) =>
      done(
        set.ringmaster(
          'resolve',
          '--base-url',
          set.host.url,
          '--state',
          join(set.directory, 'devices', name),
          '--root',
          join(set.keys, '1.root.json'),
          '--enrolment',
          join(set.directory, 'enrolments', `${name}.json`),
          '--release-version',
          running,
          '--json',
        ),
      ),
    ),
  )
  return answers.map(({ out }) => {
    const told = JSON.parse(out) as { bundle: { version: string } | null | undefined; explanation: { text: string }[] }
    return told.bundle?.version ?? `none: ${told.explanation.map(({ text }) => text).join('; ')}`
  })
}

const admittedTo = (answers: readonly string[], version: string): number =>
  answers.filter((answer) => answer === version).length

/** Waits until the devices are told what is expected: a publication takes its time. */
const told = (set: Stage, running: string, what: string, fits: (answers: readonly string[]) => boolean) =>
  eventually(what, async () => {
    const answers = await asked(set, running)
    return fits(answers) ? answers : undefined
  })

describe('a version that goes out by and by', () => {
  it('comes to as many devices as somebody said, to nobody new after a halt, then to all, and is taken back', async () => {
    stage = await setStage({ firmwareCommit: 'fix: keep the clock', cohortLines: ['firstPhase: nobody'] })
    const set = stage
    const plot = newPlot()
    for (const scene of SCENES) {
      if (scene.title.startsWith('A device')) {
        const reply = await say(set, 'ann', plot.issue, `/phase ${COHORT} latest everybody`)
        expect(reply).toContain('is open to everybody')
        await logged(
          set,
          'the phase in a manifest',
          ['--type', 'manifest'],
          (text) => text.trim().split('\n').length > 1,
        )
      }
      await scene.play(set, plot)
    }

    const key = join(set.directory, 'enrolment.pem')
    await done(set.ringmaster('keys', 'create', key))
    for (const name of DEVICES) {
      const out = join(set.directory, 'enrolments', `${name}.json`)
      const roster = join(set.directory, 'roster')
      await done(set.ringmaster('cohort', 'enrol', '--roster', roster, '--key', key, '--cohort', COHORT, '--out', out))
    }

    const version = await release(set, 'feat: measure twice')
    expect(version).toBe('3.1.0')
    const issue = await openIssue(set, 'ann', 'The fleet')
    const toOne = await say(set, 'ann', issue, `/phase ${COHORT} ${version} count 1`)
    expect(toOne).toContain('1 of 3 enrolled devices, where they run 3.0.1 → 3.1.0 now')
    expect(toOne).toContain('permissions of the latest release: 1 of 3 enrolled, 2 left')
    expect(toOne).toContain('```mermaid\nflowchart LR\n')
    const one = await told(set, '3.0.1', 'one device to be let in', (answers) => admittedTo(answers, version) === 1)

    expect(await say(set, 'mallory', issue, `/halt ${COHORT} just because`)).toContain('may not do this')
    const halted = await say(set, 'ann', issue, `/halt ${COHORT} batteries run flat`)
    expect(halted).toContain('no more devices take it')
    const stopped = await told(set, '3.0.1', 'nobody to be let in', (answers) => admittedTo(answers, version) === 0)
    expect(stopped.join('\n')).toContain('batteries run flat')

    await say(set, 'ann', issue, `/resume ${COHORT}`)
    const again = await told(set, '3.0.1', 'one device again', (answers) => admittedTo(answers, version) === 1)
    expect(again.indexOf(version)).toBe(one.indexOf(version))
    await say(set, 'ann', issue, `/phase ${COHORT} latest everybody`)
    await told(set, '3.0.1', 'all devices to be let in', (answers) => admittedTo(answers, version) === 3)

    const tally = await done(
      set.ringmaster(
        'cohort',
        'tally',
        '--roster',
        join(set.directory, 'roster'),
        '--to',
        join(set.directory, 'public'),
        '--root',
        join(set.keys, '1.root.json'),
        '--cohort',
        COHORT,
      ),
    )
    expect(tally.out).toContain(`"${FIRMWARE.name}@${version}": 3 of 3 enrolled are permitted, 0 left`)

    expect(await say(set, 'ann', issue, `/withdraw ${COHORT} ${version} 9.9.9`)).toContain('has reached a ring')
    const withdrawn = await say(
      set,
      'ann',
      issue,
      `/withdraw ${COHORT} ${version} 3.0.1 "it forgets the clock" --accept-risk`,
    )
    expect(withdrawn).toContain('is withdrawn')
    await told(set, '3.0.1', 'nobody to be offered it any more', (answers) => admittedTo(answers, version) === 0)

    const git = set.sandbox.repository('acme/releases').gitDirectory
    await done(set.ringmaster('ledger', 'verify', '--repo', git))
    expect(set.sandbox.violations).toEqual([])
  }, 600_000)
})
