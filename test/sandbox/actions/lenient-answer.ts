import type { Answer } from '../router.ts'
import { sharedValidation } from '../validation.ts'

/**
 * For answers that GitHub gives although its description does not allow them: statuses of deployments say `waiting`,
 * and leave URLs that nobody gave empty. Everything else of the answer is checked here, as the front would.
 */
export function asStatuses(method: string, path: string, answer: Answer): Answer {
  const problems = sharedValidation().answer(method, path, answer.status, described(answer.body))
  if (problems.length > 0) throw new Error(`GitHub's description does not accept: ${problems.join('; ')}`)
  const headers = { ...answer.headers, 'content-type': 'application/json; charset=utf-8' }
  return { status: answer.status, headers, raw: Buffer.from(JSON.stringify(answer.body)) }
}

const urlMembers = ['target_url', 'log_url', 'environment_url']

function described(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(described)
  const status = body as Record<string, unknown>
  const urls = urlMembers.filter((name) => status[name] === '').map((name) => [name, 'https://example.org/'])
  const state = status['state'] === 'waiting' ? [['state', 'pending']] : []
  return { ...status, ...Object.fromEntries([...urls, ...state]) }
}
