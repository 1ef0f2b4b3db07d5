import { afterEach, describe, expect, it } from '@jest/globals'
import { board, commentsOf, openIssue, say } from './story/github.ts'
import { newPlot, SCENES } from './story/scenes.ts'
import { eventually, type Stage, setStage } from './story/stage.ts'
import { build } from './story/workflows.ts'

/** Names that are data: they are recorded and shown, and neither leave a path nor break the Markdown nor call anybody. */
const DATA = ['../../x', 'a/b', '__proto__', 'x'.repeat(100), 'say `hi` | @olga']
/** Names that could hide what they say, or are too long: refused where they enter, in one sentence. */
const REFUSED = ['y'.repeat(300), 'user\u202eecivres']

let stage: Stage | undefined
afterEach(async () => {
  await stage?.stop()
  stage = undefined
})

describe('names from outside', () => {
  it('are data wherever they go', async () => {
    stage = await setStage()
    await SCENES[0]?.play(stage, newPlot())
    for (const name of DATA) {
      const run = await build(stage, { name, repository: 'acme/edge' })
      expect([name, await run.finished()]).toEqual([name, 'success'])
    }
    for (const name of REFUSED) {
      const run = await build(stage, { name, repository: 'acme/edge' })
      expect([name, await run.finished()]).toEqual([name, 'failure'])
      expect(run.job('build').log).toMatch(/expected/)
    }
    const issue = await openIssue(stage, 'ann', 'Release `@olga` <b>now</b> | <!-- ringmaster:r1%2Fboard -->')
    await say(stage, 'ann', issue, '/release')
    const replies = await say(stage, 'ann', issue, DATA.map((name) => `/add ${name}@3.0.1`).join('\n'))
    const body = await board(
      stage,
      issue,
      'five rows',
      (text) => text.split('\n').filter((line) => line.includes('`3.0.1`')).length === DATA.length,
    )
    for (const text of [body, replies]) {
      expect(text).not.toMatch(/@olga/)
      expect(text).not.toMatch(/<b>/)
      expect(text).not.toContain('\u202e')
    }
    const rows = body.split('\n').filter((line) => line.startsWith('|'))
    expect(new Set(rows.map((row) => row.replaceAll('\\|', '').split('|').length)).size).toBe(1)
    const stores = await stage.sandbox.repository('acme/releases').read('head.json', 'ringmaster-data')
    expect(stores).toBeDefined()
    const verified = await stage.ringmaster(
      'ledger',
      'verify',
      '--repo',
      stage.sandbox.repository('acme/releases').gitDirectory,
    )
    expect(verified).toMatchObject({ code: 0 })
    const own = (await commentsOf(stage, issue)).filter((comment) => comment.user?.login === 'ringmaster[bot]')
    expect(own).toHaveLength(3)
    await eventually('the App to be well', async () => (stage?.app.output.includes('bug') ? undefined : true))
    expect(stage.sandbox.violations).toEqual([])
  }, 180_000)
})
