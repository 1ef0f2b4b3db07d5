import { type Problem, quoted } from '../problem.ts'

/** Where a version's text can go wrong; closed. */
export type VersionCode =
  | 'version-empty'
  | 'version-too-long'
  | 'version-prefix'
  | 'version-parts'
  | 'version-not-a-number'
  | 'version-leading-zero'
  | 'version-too-large'
  | 'version-identifier'
  | 'version-date'
  | 'version-not-a-hash'
  | 'version-characters'
  | 'version-schemes-differ'
  | 'version-no-order'

export type VersionProblem = Problem<VersionCode>

/** The problems of one decimal number, which `name` tells from its neighbours; none where it is good. */
export function problemsOfNumber(text: string, name: string, options = { leadingZeros: false }): VersionProblem[] {
  if (!/^\d+$/.test(text)) {
    return [{ code: 'version-not-a-number', message: `expected ${name} to be a number, found ${quoted(text)}` }]
  }
  const problems: VersionProblem[] = []
  if (!options.leadingZeros && text.length > 1 && text.startsWith('0')) {
    const message = `expected ${name} without leading zeros, found ${quoted(text)}`
    problems.push({
      code: 'version-leading-zero',
      message,
      hint: `Write ${text.replace(/^0+(?=\d)/, '').slice(0, 20)}.`,
    })
  }
  if (!Number.isSafeInteger(Number(text))) {
    problems.push({
      code: 'version-too-large',
      message: `expected ${name} to be at most ${Number.MAX_SAFE_INTEGER}, found ${quoted(text)}`,
    })
  }
  return problems
}
