import { access } from 'node:fs/promises'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { newPlot, SCENES } from '../e2e/story/scenes.ts'
import { STORY_SETTINGS } from '../e2e/story/seed.ts'
import { setStage } from '../e2e/story/stage.ts'

const USAGE = 'npm run demo -- [--keep] [--firmware-commit MESSAGE]'

const { values } = parseArgs({
  options: { keep: { type: 'boolean' }, 'firmware-commit': { type: 'string' }, help: { type: 'boolean' } },
})
const print = (line = ''): void => void process.stdout.write(`${line}\n`)

async function play(): Promise<number> {
  if (values.help) {
    print(USAGE)
    return 0
  }
  await access('dist/action/index.js').catch(() => {
    throw new Error('expected the bundled Action in dist/, found none: npm run build makes it')
  })
  const started = Date.now()
  print('One release, from commit to device, on a GitHub of this machine.')
  const stage = await setStage({ firmwareCommit: values['firmware-commit'] ?? STORY_SETTINGS.firmwareCommit })
  let isKept = false
  try {
    const plot = newPlot()
    for (const [index, scene] of SCENES.entries()) {
      print(`\n[${index + 1}/${SCENES.length}] ${scene.title}`)
      const begun = Date.now()
      for (const line of await scene.play(stage, plot)) print(`      ${line}`)
      print(`      (${((Date.now() - begun) / 1_000).toFixed(1)} s)`)
    }
    const { violations, requests } = stage.sandbox
    if (violations.length > 0)
      throw new Error(
        `requests or answers that GitHub's description does not accept: ${JSON.stringify(violations.slice(0, 3))}`,
      )
    print(
      `\nDone in ${((Date.now() - started) / 1_000).toFixed(0)} s: ${requests.length} requests, each as GitHub's description has it.`,
    )
    if (values.keep) {
      isKept = true
      print('\nThe sandbox stays up:')
      for (const [what, address] of Object.entries(stage.addresses)) print(`  ${what.padEnd(18)} ${address}`)
      print('Stop it with Ctrl+C.')
      await new Promise<void>((resolve) => process.once('SIGINT', resolve))
    }
    return 0
  } catch (error) {
    print(`\nThe story broke off: ${error instanceof Error ? error.message : String(error)}`)
    print(stage.app.output.split('\n').slice(-15).join('\n'))
    return 1
  } finally {
    await stage.stop()
    if (isKept) print('Stopped.')
  }
}

play().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  },
)
