import { join } from 'node:path'
import type { RoleKeys } from '../core/manifest/metadata.ts'
import { firstRootRequest } from '../core/manifest/requests.ts'
import { finishRequest, openRequest } from '../core/manifest/sign-request.ts'
import { targetsRequest } from '../core/manifest/targets-request.ts'
import { trustRoot } from '../core/manifest/trusted-set.ts'
import { unwrap } from '../core/problem.ts'
import { createKeyFile } from '../publish/key-file.ts'
import type { FileSigner } from '../publish/signer.ts'
import { type CliCommand, needed, optionsOf, usageError } from './command.ts'
import { writeOutput } from './files.ts'
import { count, DEFAULT_GROUP, days, inDays, OFFLINE_DAYS, requestText, signAll } from './request-files.ts'

export const keysInit: CliCommand = {
  name: 'keys init',
  usage:
    'ringmaster keys init --offline DIR --bundles DIR --online DIR --out DIR [--cohort ID]… [--group NAME] [--keys N] [--threshold N] [--valid-days N]',
  summary: 'Make the keys of a new publication, its first root, and targets with the delegations.',
  async run(args, io) {
    const values = optionsOf(keysInit, args, {
      offline: { type: 'string' },
      bundles: { type: 'string' },
      online: { type: 'string' },
      out: { type: 'string' },
      cohort: { type: 'string', multiple: true },
      group: { type: 'string' },
      keys: { type: 'string' },
      threshold: { type: 'string' },
      'valid-days': { type: 'string' },
    })
    const offline = needed(values.offline, 'offline', keysInit)
    const bundlesDir = needed(values.bundles, 'bundles', keysInit)
    const online = needed(values.online, 'online', keysInit)
    const out = needed(values.out, 'out', keysInit)
    const group = values.group ?? DEFAULT_GROUP
    const number = count(values.keys, 'keys', 3, keysInit)
    const threshold = count(values.threshold, 'threshold', 2, keysInit)
    if (number < threshold)
      throw usageError(`expected at least as many keys as the threshold of ${threshold}, found ${number}`, keysInit)
    const expires = inDays(io.now, days(values['valid-days'], OFFLINE_DAYS, keysInit))
    const several = (role: string) =>
      Promise.all(
        Array.from({ length: number }, (_, at) =>
          createKeyFile(join(offline, `${role}-${at + 1}.pem`), `${role} ${at + 1}`),
        ),
      )
    const root = await several('root')
    const targets = await several('targets')
    const bundles = await createKeyFile(join(bundlesDir, `bundles-${group}.pem`), `bundles ${group}`)
    const cohorts = await createKeyFile(join(online, 'cohorts.pem'), 'cohorts')
    const snapshot = await createKeyFile(join(online, 'snapshot.pem'), 'snapshot')
    const timestamp = await createKeyFile(join(online, 'timestamp.pem'), 'timestamp')
    const of = (signers: readonly FileSigner[], needs: number): RoleKeys => ({
      keys: signers.map(({ key }) => key),
      threshold: needs,
    })
    const roles = {
      root: of(root, threshold),
      targets: of(targets, threshold),
      snapshot: of([snapshot], 1),
      timestamp: of([timestamp], 1),
    }
    const rootOpen = await signAll(unwrap(openRequest(unwrap(firstRootRequest(roles, expires)))), root)
    const rootBytes = unwrap(finishRequest(rootOpen))
    const trusted = unwrap(trustRoot(rootBytes, Date.parse(io.now)))
    const request = targetsRequest(
      trusted.root,
      undefined,
      {
        addGroups: [{ group, ...of([bundles], 1) }],
        addCohorts: (values.cohort ?? []).map((cohort) => ({ cohort, ...of([cohorts], 1) })),
      },
      expires,
    )
    const targetsOpen = await signAll(unwrap(openRequest(unwrap(request))), targets)
    await writeOutput(join(out, '1.root.json'), rootBytes)
    await writeOutput(join(out, 'targets.request.json'), requestText(targetsOpen))
    if (io.json)
      io.out(
        JSON.stringify({
          root: join(out, '1.root.json'),
          targets: join(out, 'targets.request.json'),
          offline,
          bundles: bundlesDir,
          online,
        }),
      )
    else for (const line of initSummary({ offline, bundles: bundlesDir, online, out, number, threshold })) io.out(line)
    return 0
  },
}

const initSummary = (made: {
  offline: string
  bundles: string
  online: string
  out: string
  number: number
  threshold: number
}): string[] => [
  `${made.offline}: ${made.number} root and ${made.number} targets keys, ${made.threshold} of each sign. Give each to another person and take them off this machine.`,
  `${made.bundles}: the key that signs bundles after sign-off. The App never holds it.`,
  `${made.online}: the keys of the App: cohorts, snapshot, timestamp.`,
  `${join(made.out, '1.root.json')}: build it into every device.`,
  `${join(made.out, 'targets.request.json')}: signed; publish it with the first publication.`,
]
