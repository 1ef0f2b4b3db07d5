import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { describe, expect, it } from '@jest/globals'

const STATIC_IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^'"]*?\sfrom\s+)?'([^']+)'/gm
const onlyTypes = (statement: string): boolean => {
  const names = /\{([^}]*)\}/.exec(statement)?.[1]
  return (
    names !== undefined &&
    !/^(?:import|export)\s+\w/.test(statement) &&
    names.split(',').every((name) => !name.trim() || /^\s*type\s/.test(name))
  )
}

/** Every module that is loaded with a file before anything is called; packages by their names. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [statement, specifier = ''] of readFileSync(file, 'utf8').matchAll(STATIC_IMPORT)) {
    if (onlyTypes(statement)) continue
    if (specifier.startsWith('.')) loadedWith(resolve(dirname(file), specifier), seen)
    else seen.add(specifier)
  }
  return seen
}

const packages = (file: string): string[] =>
  [...loadedWith(resolve(file))].filter((name) => !name.startsWith('/') && !name.startsWith('node:'))

describe('what is loaded before the work begins', () => {
  it.each(['src/action/index.ts', 'src/action/bump.ts'])(
    '%s loads neither the GitHub client nor the schemas',
    (file) => {
      expect(packages(file).filter((name) => !name.startsWith('semver/'))).toEqual([])
    },
  )

  it('is really followed: recording a build loads the schemas', () => {
    expect(packages('src/action/record-build.ts')).toContain('zod')
  })
})
