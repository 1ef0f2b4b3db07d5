import { describe, expect, it } from '@jest/globals'
import { STORY_SETTINGS } from '../e2e/story/seed.ts'
import { UsageError } from '../sandbox/run-options.ts'
import { readDemoOptions } from './options.ts'

describe('the options of the demo', () => {
  it('may all be left out', () => {
    expect(readDemoOptions([])).toEqual({ keep: false, help: false, firmwareCommit: STORY_SETTINGS.firmwareCommit })
  })

  it.each(['fix: a', 'feat: sleep between measurements', 'refactor!: c', 'chore: d\n\nBREAKING CHANGE: all of it'])(
    'take %j for the newest commit, after which there is a new version',
    (message) => {
      expect(readDemoOptions(['--keep', '--firmware-commit', message])).toMatchObject({
        keep: true,
        firmwareCommit: message,
      })
    },
  )

  it.each<[string, string[], RegExp]>([
    ['an option that there is not', ['--fast'], /--fast/],
    ['an option without its value', ['--firmware-commit'], /firmware-commit/],
    ['a word on its own', ['feat: x'], /feat: x/],
    ['a commit that releases nothing', ['--firmware-commit', 'docs: x'], /"docs: x", after which nothing is released/],
    ['a commit that says nothing', ['--firmware-commit', ''], /nothing is released/],
  ])('refuse %s with a sentence and the usage', (_, args, message) => {
    const read = () => readDemoOptions(args)
    expect(read).toThrow(UsageError)
    expect(read).toThrow(message)
    expect(read).toThrow(/Usage: npm run demo -- /)
  })
})
