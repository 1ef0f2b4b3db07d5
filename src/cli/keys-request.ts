import { Bundle } from '../core/cohort/schema.ts'
import { bundlesRequest } from '../core/manifest/bundles-request.ts'
import { tufKey } from '../core/manifest/keys.ts'
import { bundlesRole } from '../core/manifest/names.ts'
import { type KeyChange, nextRootRequest } from '../core/manifest/requests.ts'
import type { Floor } from '../core/manifest/schema.ts'
import { type DelegationChanges, targetsRequest } from '../core/manifest/targets-request.ts'
import { unwrap } from '../core/problem.ts'
import { type CliCommand, needed, optionsOf, readOptions, usageError } from './command.ts'
import { readDocument } from './files.ts'
import {
  BUNDLES_DAYS,
  count,
  DEFAULT_GROUP,
  days,
  inDays,
  keyIdOf,
  OFFLINE_DAYS,
  publicKey,
  readRoot,
  readTargets,
  writeRequest,
} from './request-files.ts'

export const keysRotate: CliCommand = {
  name: 'keys rotate',
  usage:
    'ringmaster keys rotate ROLE --root FILE [--targets FILE] [--add PUBLIC]… [--remove PUBLIC|KEYID]… [--threshold N] [--valid-days N] --out REQUEST',
  summary: 'Ask for a root or targets with other keys for one role, or only with a later expiry.',
  async run(args, io) {
    const { values, positionals } = readOptions(keysRotate, args, {
      root: { type: 'string' },
      targets: { type: 'string' },
      add: { type: 'string', multiple: true },
      remove: { type: 'string', multiple: true },
      threshold: { type: 'string' },
      'valid-days': { type: 'string' },
      out: { type: 'string' },
    })
    const role = positionals[0]
    if (role === undefined || positionals.length > 1) throw usageError('expected one role', keysRotate)
    const root = await readRoot(needed(values.root, 'root', keysRotate))
    const out = needed(values.out, 'out', keysRotate)
    const add = await Promise.all((values.add ?? []).map(publicKey))
    const threshold = values.threshold === undefined ? undefined : count(values.threshold, 'threshold', 1, keysRotate)
    const remove = await Promise.all((values.remove ?? []).map(keyIdOf))
    const change: KeyChange = { add, remove, threshold }
    const expires = inDays(io.now, days(values['valid-days'], OFFLINE_DAYS, keysRotate))
    const request = isTopRole(role)
      ? nextRootRequest(root, new Map([[role, change]]), expires)
      : targetsRequest(
          root,
          await readTargets(needed(values.targets, 'targets', keysRotate), 'targets'),
          { keys: new Map([[role, change]]) },
          expires,
        )
    return writeRequest(unwrap(request, 'refused'), out, io)
  },
}

const TOP = ['root', 'targets', 'snapshot', 'timestamp'] as const
const isTopRole = (role: string): role is (typeof TOP)[number] => TOP.some((name) => name === role)

export const keysCohorts: CliCommand = {
  name: 'keys cohorts',
  usage:
    'ringmaster keys cohorts --root FILE --targets FILE [--add ID]… [--retire ID]… [--key PUBLIC] [--valid-days N] --out REQUEST',
  summary: 'Ask for targets with new cohorts, or with some retired for ever.',
  async run(args, io) {
    const values = optionsOf(keysCohorts, args, {
      root: { type: 'string' },
      targets: { type: 'string' },
      add: { type: 'string', multiple: true },
      retire: { type: 'string', multiple: true },
      key: { type: 'string' },
      'valid-days': { type: 'string' },
      out: { type: 'string' },
    })
    const root = await readRoot(needed(values.root, 'root', keysCohorts))
    const targets = await readTargets(needed(values.targets, 'targets', keysCohorts), 'targets')
    const out = needed(values.out, 'out', keysCohorts)
    const adding = values.add ?? []
    const key = adding.length === 0 ? undefined : await publicKey(needed(values.key, 'key', keysCohorts))
    const changes: DelegationChanges = {
      addCohorts: key === undefined ? [] : adding.map((cohort) => ({ cohort, keys: [tufKey(key)], threshold: 1 })),
      retireCohorts: values.retire ?? [],
    }
    const expires = inDays(io.now, days(values['valid-days'], OFFLINE_DAYS, keysCohorts))
    return writeRequest(unwrap(targetsRequest(root, targets, changes, expires), 'refused'), out, io)
  },
}

export const keysBundles: CliCommand = {
  name: 'keys bundles',
  usage:
    'ringmaster keys bundles --targets FILE [--previous FILE] [--group NAME] [--bundle FILE]… [--floor PRODUCT=VERSION]… [--valid-days N] --out REQUEST',
  summary: 'Ask the holders of a bundles key to sign bundles, or a lowest version still allowed.',
  async run(args, io) {
    const values = optionsOf(keysBundles, args, {
      targets: { type: 'string' },
      previous: { type: 'string' },
      group: { type: 'string' },
      bundle: { type: 'string', multiple: true },
      floor: { type: 'string', multiple: true },
      'valid-days': { type: 'string' },
      out: { type: 'string' },
    })
    const group = values.group ?? DEFAULT_GROUP
    const out = needed(values.out, 'out', keysBundles)
    const request = bundlesRequest({
      targets: await readTargets(needed(values.targets, 'targets', keysBundles), 'targets'),
      group,
      previous: values.previous === undefined ? undefined : await readTargets(values.previous, bundlesRole(group)),
      bundles: await Promise.all((values.bundle ?? []).map((path) => readDocument(path, Bundle, 'a bundle'))),
      floors: (values.floor ?? []).map(floorOf),
      expires: inDays(io.now, days(values['valid-days'], BUNDLES_DAYS, keysBundles)),
    })
    return writeRequest(unwrap(request, 'refused'), out, io)
  },
}

function floorOf(text: string): Floor {
  const cut = text.lastIndexOf('=')
  if (cut < 1) throw usageError(`expected PRODUCT=VERSION for --floor, found "${text.slice(0, 80)}"`, keysBundles)
  return { product: text.slice(0, cut), version: text.slice(cut + 1) }
}
