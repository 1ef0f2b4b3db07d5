import { join } from 'node:path'
import { tufKey } from '../core/manifest/keys.ts'
import { decodeMetadata, type RoleKeys } from '../core/manifest/metadata.ts'
import { firstRootRequest } from '../core/manifest/requests.ts'
import { finishRequest, openRequest } from '../core/manifest/sign-request.ts'
import { targetsRequest } from '../core/manifest/targets-request.ts'
import { unwrap } from '../core/problem.ts'
import { type CliCommand, needed, optionsOf, readOptions, usageError } from './command.ts'
import { writeOutput } from './files.ts'
import {
  count,
  DEFAULT_GROUP,
  days,
  inDays,
  OFFLINE_DAYS,
  publicKey,
  readRequest,
  requestText,
} from './request-files.ts'

export const keysInitPublic: CliCommand = {
  name: 'keys init-public',
  usage:
    'ringmaster keys init-public --root-key PUBLIC… --targets-key PUBLIC… --bundles-key PUBLIC --cohorts-key PUBLIC --snapshot-key PUBLIC --timestamp-key PUBLIC --out DIR [--cohort ID]… [--group NAME] [--threshold N] [--valid-days N]',
  summary: 'Ask for the first root and targets of a new publication, from public halves that their holders made.',
  async run(args, io) {
    const values = optionsOf(keysInitPublic, args, {
      'root-key': { type: 'string', multiple: true },
      'targets-key': { type: 'string', multiple: true },
      'bundles-key': { type: 'string' },
      'cohorts-key': { type: 'string' },
      'snapshot-key': { type: 'string' },
      'timestamp-key': { type: 'string' },
      out: { type: 'string' },
      cohort: { type: 'string', multiple: true },
      group: { type: 'string' },
      threshold: { type: 'string' },
      'valid-days': { type: 'string' },
    })
    const out = needed(values.out, 'out', keysInitPublic)
    const threshold = count(values.threshold, 'threshold', 2, keysInitPublic)
    const several = async (name: 'root-key' | 'targets-key'): Promise<RoleKeys> => {
      const paths = values[name] ?? []
      if (paths.length < threshold)
        throw usageError(
          `expected at least ${threshold} times the option --${name}, found ${paths.length}`,
          keysInitPublic,
        )
      return { keys: (await Promise.all(paths.map(publicKey))).map(tufKey), threshold }
    }
    const one = async (name: 'bundles-key' | 'cohorts-key' | 'snapshot-key' | 'timestamp-key'): Promise<RoleKeys> => ({
      keys: [tufKey(await publicKey(needed(values[name], name, keysInitPublic)))],
      threshold: 1,
    })
    const roles = {
      root: await several('root-key'),
      targets: await several('targets-key'),
      snapshot: await one('snapshot-key'),
      timestamp: await one('timestamp-key'),
    }
    const [bundles, cohorts] = [await one('bundles-key'), await one('cohorts-key')]
    const expires = inDays(io.now, days(values['valid-days'], OFFLINE_DAYS, keysInitPublic))
    const root = unwrap(openRequest(unwrap(firstRootRequest(roles, expires), 'refused')))
    const rootBytes = Buffer.from(JSON.stringify(root.request.metadata), 'utf8')
    const unsigned = unwrap(decodeMetadata('root', 'root', rootBytes))
    const changes = {
      addGroups: [{ group: values.group ?? DEFAULT_GROUP, ...bundles }],
      addCohorts: (values.cohort ?? []).map((cohort) => ({ cohort, ...cohorts })),
    }
    const targets = unwrap(openRequest(unwrap(targetsRequest(unsigned, undefined, changes, expires), 'refused')))
    const paths = [join(out, 'root.request.json'), join(out, 'targets.request.json')] as const
    await writeOutput(paths[0], requestText(root))
    await writeOutput(paths[1], requestText(targets))
    if (io.json) io.out(JSON.stringify({ root: paths[0], targets: paths[1] }))
    else
      for (const path of paths)
        io.out(`${path}: carry it to ${threshold} of its holders, who sign by: ringmaster keys sign ${path} --key FILE`)
    return 0
  },
}

export const keysFinish: CliCommand = {
  name: 'keys finish',
  usage: 'ringmaster keys finish REQUEST --out FILE',
  summary: 'Write the signed file of a complete signing request, such as the first root.',
  async run(args, io) {
    const { values, positionals } = readOptions(keysFinish, args, { out: { type: 'string' } })
    const [path, ...others] = positionals
    if (path === undefined || others.length > 0) throw usageError('expected one signing request', keysFinish)
    const out = needed(values.out, 'out', keysFinish)
    const open = await readRequest(path)
    await writeOutput(out, unwrap(finishRequest(open), 'refused'))
    io.out(
      io.json ? JSON.stringify({ file: out, role: open.request.role }) : `${out}: the signed ${open.request.role}.`,
    )
    return 0
  },
}
