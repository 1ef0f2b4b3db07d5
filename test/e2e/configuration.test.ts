import { afterEach, describe, expect, it } from '@jest/globals'
import { person } from './story/github.ts'
import { newPlot, SCENES } from './story/scenes.ts'
import { CONFIGURATION } from './story/seed.ts'
import { eventually, type Stage, setStage } from './story/stage.ts'

const at = { owner: 'acme', repo: 'releases' } as const
const path = '.github/ringmaster.yml'

/** Three mistakes: an unknown key, a party without members, an environment of no ring. */
const WRONG = CONFIGURATION.replace('    label: beta\n', '    label: beta\n    colour: blue\n')
  .replace('{ name: QA, team: acme/qa }', '{ name: QA }')
  .replace('  environments: [production]\nroles', '  environments: [produktion]\nroles')
const CHANGED = CONFIGURATION.replace('purpose: general availability', 'purpose: everybody')

let stage: Stage | undefined
afterEach(async () => {
  await stage?.stop()
  stage = undefined
})

/** Proposes a file by a pull request from a branch; returns its number and head. */
async function propose(set: Stage, branch: string, text: string): Promise<{ number: number; sha: string }> {
  const { rest } = person(set, 'olga')
  const main = (await set.sandbox.repository('acme/releases').head('main')) ?? ''
  await rest.git.createRef({ ...at, ref: `refs/heads/${branch}`, sha: main })
  const { data: file } = await rest.repos.getContent({ ...at, path, ref: branch })
  const sha = Array.isArray(file) ? '' : file.sha
  await rest.repos.createOrUpdateFileContents({
    ...at,
    path,
    branch,
    sha,
    message: `Try ${branch}`,
    content: Buffer.from(text).toString('base64'),
  })
  const { data: pull } = await rest.pulls.create({ ...at, title: branch, head: branch, base: 'main' })
  return { number: pull.number, sha: pull.head.sha }
}

const inForce = async (set: Stage): Promise<number> => {
  const log = await set.ringmaster(
    'ledger',
    'log',
    '--repo',
    set.sandbox.repository('acme/releases').gitDirectory,
    '--type',
    'config.accepted',
  )
  return log.out.trim().split('\n').length
}

const alarms = async (set: Stage) =>
  (await person(set, 'olga').rest.issues.listForRepo({ ...at, state: 'all', labels: 'ringmaster-alarm' })).data

describe('a change of the configuration', () => {
  it('is checked where it is proposed, refused unapproved, and takes effect when an admin approved it', async () => {
    stage = await setStage()
    const set = stage
    await SCENES[0]?.play(set, newPlot())
    const wrong = await propose(set, 'three-mistakes', WRONG)
    const check = await eventually('the check of the configuration', async () => {
      const { data } = await person(set, 'olga').rest.checks.listForRef({
        ...at,
        ref: wrong.sha,
        check_name: 'ringmaster/configuration',
      })
      return data.check_runs[0]
    })
    expect(check.conclusion).toBe('failure')
    const { data: remarks } = await person(set, 'olga').rest.checks.listAnnotations({
      ...at,
      check_run_id: Number(check.id),
    })
    expect(remarks.map((remark) => remark.path)).toEqual(remarks.map(() => path))
    const messages = remarks.map((remark) => remark.message).join('\n')
    for (const mistake of [/colour/, /QA/, /produktion/]) expect(messages).toMatch(mistake)

    await person(set, 'olga').rest.pulls.merge({ ...at, pull_number: wrong.number })
    const alarm = await eventually('an alarm', async () => (await alarms(set)).find((issue) => issue.state === 'open'))
    expect(alarm.body).toMatch(/colour/)
    expect(await inForce(set)).toBe(1)

    const changed = await propose(set, 'another-purpose', CHANGED)
    await person(set, 'ann').rest.pulls.createReview({ ...at, pull_number: changed.number, event: 'APPROVE' })
    await person(set, 'olga').rest.pulls.merge({ ...at, pull_number: changed.number })
    await eventually('the new configuration in force', async () => ((await inForce(set)) === 2 ? true : undefined))
    await eventually('the alarm to close', async () =>
      (await alarms(set)).every((issue) => issue.state === 'closed') ? true : undefined,
    )
    expect(await alarms(set)).toHaveLength(1)
    expect(set.sandbox.violations).toEqual([])
  }, 120_000)
})
