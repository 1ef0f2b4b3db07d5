import { ulid } from 'ulid'
import type { Decision } from '../core/decision.ts'
import { model } from '../core/model.ts'
import { quoted, RingmasterError } from '../core/problem.ts'
import type { BuildNumber } from '../core/product/build-number.ts'
import type { Request } from '../core/request.ts'
import { decisionOf } from '../engine/decisions.ts'
import { settleAt } from '../engine/settle.ts'
import { openLedger } from '../ledger/ledger.ts'
import { type CliCommand, needed, optionsOf, usageError } from './command.ts'
import { storeToWrite } from './ledger-store.ts'

export const ledgerNextBuild: CliCommand = {
  name: 'ledger next-build',
  usage:
    'ringmaster ledger next-build --repo DIR|OWNER/NAME --product NAME [--run ID] [--attempt N] [--wanted VERSION] [--branch NAME] [--author "NAME <EMAIL>"] [--json]   (the run is GITHUB_RUN_ID and GITHUB_RUN_ATTEMPT when left out; --wanted is the version that the commits ask for, as bump says it: the number counts on that base where no higher one was reached, and goes on from the base before when left out; OWNER/NAME commits as the App, with the variables of the server)',
  summary:
    'Hand out the next development version of a semver-build product, the same again for the same attempt of a run.',
  async run(args, io) {
    const values = optionsOf(ledgerNextBuild, args, {
      repo: { type: 'string' },
      branch: { type: 'string' },
      author: { type: 'string' },
      product: { type: 'string' },
      run: { type: 'string' },
      attempt: { type: 'string' },
      wanted: { type: 'string' },
    })
    const request: Request = {
      kind: 'build-number-asked',
      product: needed(values.product, 'product', ledgerNextBuild),
      run: {
        id: numberOf(needed(values.run ?? io.env['GITHUB_RUN_ID'], 'run', ledgerNextBuild), 'run'),
        attempt: numberOf(values.attempt ?? (io.env['GITHUB_RUN_ATTEMPT'] || '1'), 'attempt'),
      },
      wanted: values.wanted ?? null,
      askedAt: null,
      at: io.now,
      actor: null,
      source: { kind: 'cli' },
    }
    const choice = { repo: needed(values.repo, 'repo', ledgerNextBuild), branch: values.branch }
    const { store, writer } = await storeToWrite(choice, values.author, io)
    const ledger = openLedger({ store, model, clock: () => io.now, newId: ulid, writer })
    const facts = { memory: new Map(), source: async () => noFacts() }
    const { result } = await ledger.append<Decision<BuildNumber>>(async (session) => {
      const decision = (await settleAt(decisionOf(request), session, facts)) as Decision<BuildNumber>
      return { events: decision.events, result: decision }
    })
    await ledger.close()
    if (result.kind === 'refuse') throw new RingmasterError('refused', result.problems)
    const { version, repeated } = result.answer
    io.out(io.json ? JSON.stringify({ product: request.product, run: request.run, version, repeated }) : version)
    return 0
  },
}

function numberOf(text: string, option: string): number {
  if (/^[1-9][0-9]{0,15}$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  throw usageError(`expected a whole number for --${option}, found ${quoted(text)}`, ledgerNextBuild)
}

const noFacts = (): never => {
  throw new Error('a build number asked for an outside fact; please report it')
}
