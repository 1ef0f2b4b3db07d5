import { examine } from '../app/doctor.ts'
import { pagesRepository, readSettings } from '../app/environment.ts'
import { RingmasterError } from '../core/problem.ts'
import { gitHubApp } from '../github/client.ts'
import { type CliCommand, readOptions } from './command.ts'

const SIGNS = { pass: '✓', warn: '!', fail: '✗' } as const

export const doctor: CliCommand = {
  name: 'doctor',
  usage:
    'ringmaster doctor   (reads the variables of the server: APP_ID, PRIVATE_KEY, WEBHOOK_SECRET, RINGMASTER_REPOSITORY …)',
  summary:
    'Check the installation: permissions, events, clock, rulesets, configuration, merging, protection rules, teams, Pages.',
  async run(args, io) {
    readOptions(doctor, args, {})
    const settings = readSettings(io.env)
    if (!settings.ok) throw new RingmasterError('bad-input', settings.problems)
    const { appId, privateKey, apiUrl, releaseRepository } = settings.value
    const app = gitHubApp({ appId, privateKey, apiUrl })
    const pages = pagesRepository(settings.value)
    const findings = await examine({ app, releaseRepository, nowMs: Date.parse(io.now), pages })
    if (io.json) io.out(JSON.stringify(findings))
    else for (const { state, what, hint } of findings) io.out(`${SIGNS[state]} ${what}${hint ? `\n    ${hint}` : ''}`)
    return findings.some((finding) => finding.state === 'fail') ? 1 : 0
  },
}
