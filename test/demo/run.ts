import { access } from 'node:fs/promises'
import process from 'node:process'
import { newPlot, type Plot, SCENES } from '../e2e/story/scenes.ts'
import { type Stage, setStage } from '../e2e/story/stage.ts'
import { UsageError } from '../sandbox/run-options.ts'
import { INTERRUPTED, onInterruption } from '../sandbox/run-until.ts'
import { lookAround } from './look-around.ts'
import { readDemoOptions, USAGE } from './options.ts'

const print = (line = ''): void => void process.stdout.write(`${line}\n`)

async function demo(): Promise<number> {
  const options = readDemoOptions(process.argv.slice(2))
  if (options.help) {
    print(USAGE)
    return 0
  }
  await access('dist/action/index.js').catch(() => {
    throw new UsageError('expected the bundled Action in dist/, found none: npm run build makes it')
  })
  const interruption = onInterruption()
  /** What a scene that was broken off still waited for must not end the program before it has cleaned up. */
  process.on('unhandledRejection', (error) => {
    if (interruption.isHere) return
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    process.exit(1)
  })
  print('One release, from commit to device, on a GitHub of this machine.')
  const stage = await setStage({ firmwareCommit: options.firmwareCommit }).catch((error: unknown) => {
    /** Ctrl+C reaches the programs that set the stage, too. */
    if (interruption.isHere) return null
    throw error
  })
  if (stage === null) return INTERRUPTED
  try {
    const ended = interruption.signal.then(() => INTERRUPTED)
    const plot = newPlot()
    const code = await Promise.race([ended, play(stage, plot)])
    if (code !== 0 || !options.keep) return code
    print('\nThe sandbox stays up:')
    for (const line of lookAround(stage, plot)) print(`  ${line}`.trimEnd())
    print('Stop it with Ctrl+C; nothing of it is kept then.')
    await interruption.signal
    return 0
  } catch (error) {
    if (interruption.isHere) return INTERRUPTED
    print(`\nThe story broke off: ${error instanceof Error ? error.message : String(error)}`)
    print(stage.app.output.split('\n').slice(-15).join('\n'))
    return 1
  } finally {
    if (interruption.isHere) print('\nStopping; the temporary directories are removed.')
    await stage.stop()
  }
}

async function play(stage: Stage, plot: Plot): Promise<number> {
  const started = Date.now()
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
  return 0
}

demo().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(error instanceof UsageError ? 2 : 1)
  },
)
