import { OWN_BRANCHES } from '../core/own-branches.ts'
import { rulesetBody } from '../github/rulesets.ts'
import { type CliCommand, needed, optionsOf, usageError } from './command.ts'

export const ruleset: CliCommand = {
  name: 'ruleset',
  usage: 'ringmaster ruleset --app-id ID   (for: gh api repos/OWNER/NAME/rulesets --method POST --input -)',
  summary: 'Print the ruleset by which an admin leaves the branches to the App alone.',
  async run(args, io) {
    const values = optionsOf(ruleset, args, { 'app-id': { type: 'string' } })
    const id = needed(values['app-id'], 'app-id', ruleset)
    if (!/^[1-9][0-9]{0,14}$/.test(id))
      throw usageError(`expected the number of the App for --app-id, found ${JSON.stringify(id)}`, ruleset)
    io.out(JSON.stringify(rulesetBody(Number(id), OWN_BRANCHES), null, 2))
    return 0
  },
}
