import type { GitHubApp } from '../github/client.ts'
import { inClass } from '../github/work-class.ts'
import { examine } from './doctor.ts'
import { pagesRepository, type ServerSettings } from './environment.ts'

/**
 * Tells what the doctor finds wrong, a line each. It asks through the clients of the server, whose limits it shares, and
 * lets everything else go first.
 */
export async function tellFindings(
  app: GitHubApp,
  settings: ServerSettings,
  { nowMs, tell }: { readonly nowMs: number; readonly tell: (line: string) => void },
): Promise<void> {
  const { releaseRepository } = settings
  const pages = pagesRepository(settings)
  const findings = await inClass('bulk', () => examine({ app, releaseRepository, nowMs, pages }))
  for (const { state, what, hint } of findings)
    if (state !== 'pass') tell(`ringmaster doctor: ${what}${hint === undefined ? '' : `. ${hint}`}`)
}
