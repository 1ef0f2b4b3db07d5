import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Problem, quoted } from '../core/problem.ts'

export const LOG_LEVELS: ReadonlySet<string> = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])

/** Who guesses the secret of the webhooks can sign any of them. */
export const LEAST_SECRET = 16

/**
 * A setting that is odd. What was found may be a secret in the wrong place: it is told only where it is given, and too
 * short for one.
 */
export const invalid = (expected: string, hint: string, found?: string): Problem<'setting-invalid'> => ({
  code: 'setting-invalid',
  message: `${expected}, found ${found !== undefined && found.length < LEAST_SECRET ? quoted(found) : 'something else'}`,
  hint,
})

const isAddressOf =
  (protocol: RegExp) =>
  (text: string): boolean => {
    try {
      return protocol.test(new URL(text).protocol)
    } catch {
      return false
    }
  }

export const isWebAddress = isAddressOf(/^https?:$/)
export const isRedisAddress = isAddressOf(/^rediss?:$/)

/** A key in PEM that can be used, from a text or else from a file; undefined when there is none, with why in `problems`. */
export function privateKeyOf(
  text: string | undefined,
  path: string | undefined,
  problems: Problem[],
): string | undefined {
  const pem = (text ?? readKey(path, problems))?.replaceAll('\\n', '\n')
  if (pem === undefined) return undefined
  try {
    createPrivateKey(pem)
    return pem
  } catch {
    const name = text === undefined ? 'the file at PRIVATE_KEY_PATH' : 'PRIVATE_KEY'
    const hint = isPathLike(text)
      ? 'PRIVATE_KEY holds the key itself; give the path of its file as PRIVATE_KEY_PATH.'
      : 'GitHub hands it out in the settings of the App.'
    problems.push(invalid(`expected a private key in PEM in ${name}`, hint))
    return undefined
  }
}

const isPathLike = (text: string | undefined): boolean =>
  text !== undefined && !text.includes('-----BEGIN') && (/^[~./\\]/.test(text) || /\.(?:pem|key)$/i.test(text))

function readKey(path: string | undefined, problems: Problem[]): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch {
    problems.push({
      code: 'setting-invalid',
      message: 'expected a readable file at PRIVATE_KEY_PATH, found that it cannot be read',
      hint: 'Check the path and its permissions.',
    })
    return undefined
  }
}
