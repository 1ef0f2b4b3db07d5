import { compileRequirement } from '../cohort/requirement.ts'
import type { Problem } from '../problem.ts'
import { quoted } from '../problem.ts'
import { bumpConfigOf, pullRequestRuleOf } from '../product/bump-options.ts'
import { compareRings } from '../ring/order.ts'
import { parseProductPlace } from '../version/paths.ts'
import { parseTagPattern } from '../version/tags.ts'
import type { Configuration } from './schema.ts'

/** What makes a configuration that fits the schema still wrong. `path` is the place in it, as zod writes places. */
export interface Finding {
  readonly code:
    | 'duplicate'
    | 'unknown-name'
    | 'nobody'
    | 'incomplete-step'
    | 'endless-wait'
    | 'told-to-all'
    | 'invalid-requirement'
    | 'tag-pattern'
    | 'bump-rule'
    | 'label-level'
    | 'bad-path'
    | 'no-effect'
    | 'too-few-people'
  readonly path: readonly (string | number)[]
  /** Of a duplicate: where the same stands first. */
  readonly first?: readonly (string | number)[]
  /** Of an unknown name: the section that would define it. */
  readonly among?: 'rings' | 'cohorts' | 'products' | 'signoff'
  readonly message: string
  readonly hint: string
}

type Rule = (configuration: Configuration) => Finding[]

/** Reports every item of a list that names what an earlier one named. */
function duplicates(list: readonly string[], what: string, place: (index: number) => (string | number)[]): Finding[] {
  const seen = new Map<string, number>()
  return list.flatMap((name, index) => {
    const first = seen.get(name)
    if (first === undefined) {
      seen.set(name, index)
      return []
    }
    return [
      {
        code: 'duplicate' as const,
        path: place(index),
        message: `expected each ${what} once, found ${quoted(name)} again`,
        first: place(first),
        hint: `Remove or rename one of the two.`,
      },
    ]
  })
}

/** The same number is the same ring, however many zeros end it. */
const plainRing = (ring: string): string => ring.replace(/(?:\.0{1,3}|(\.[0-9]*[1-9])0{1,2})$/, '$1')

const uniqueNames: Rule = (c) => [
  ...duplicates(
    c.products.map((p) => p.name),
    'product',
    (i) => ['products', i, 'name'],
  ),
  ...duplicates(
    c.rings.map((r) => plainRing(r.ring)),
    'ring',
    (i) => ['rings', i, 'ring'],
  ),
  ...duplicates(
    c.signoff.parties.map((p) => p.name.toLowerCase()),
    'party',
    (i) => ['signoff', 'parties', i, 'name'],
  ),
  ...duplicates(
    c.checklist.map((s) => s.id),
    'step',
    (i) => ['checklist', i, 'id'],
  ),
  ...duplicates(
    c.cohorts.map((k) => k.id),
    'cohort',
    (i) => ['cohorts', i, 'id'],
  ),
]

const environmentsInOneRing: Rule = (c) => {
  const places = c.rings.flatMap((ring, i) =>
    ring.environments.map((name, j) => ({ name, path: ['rings', i, 'environments', j] })),
  )
  return duplicates(
    places.map((place) => place.name),
    'environment',
    (i) => places[i]?.path ?? ['rings'],
  )
}

const knownNames: Rule = (c) => {
  const environments = new Set(c.rings.flatMap((ring) => ring.environments))
  const cohorts = new Set(c.cohorts.map((cohort) => cohort.id))
  const products = new Set(c.products.map((product) => product.name))
  const all = { rings: environments, cohorts, products }
  const unknown = (
    among: keyof typeof all,
    name: string | undefined,
    what: string,
    path: (string | number)[],
  ): Finding[] =>
    name === undefined || all[among].has(name)
      ? []
      : [
          {
            code: 'unknown-name',
            path,
            among,
            message: `expected the name of ${what}, found ${quoted(name)}`,
            hint: `Known here: ${[...all[among]].map(quoted).join(', ') || 'none'}.`,
          },
        ]
  return [
    ...c.completion.environments.flatMap((name, i) =>
      unknown('rings', name, 'an environment of a ring', ['completion', 'environments', i]),
    ),
    ...c.products.flatMap((product, i) =>
      (product.environments ?? []).flatMap((name, j) =>
        unknown('rings', name, 'an environment of a ring', ['products', i, 'environments', j]),
      ),
    ),
    ...c.checklist.flatMap((step, i) =>
      unknown('rings', step.environment, 'an environment of a ring', ['checklist', i, 'environment']),
    ),
    ...c.rings.flatMap((ring, i) =>
      ring.cohorts.flatMap((id, j) => unknown('cohorts', id, 'a cohort', ['rings', i, 'cohorts', j])),
    ),
    ...c.cohorts.flatMap((cohort, i) => unknown('products', cohort.product, 'a product', ['cohorts', i, 'product'])),
  ]
}

const partiesHaveMembers: Rule = (c) =>
  c.signoff.parties.flatMap((party, i) =>
    party.team === undefined && party.users.length === 0
      ? [
          {
            code: 'nobody' as const,
            path: ['signoff', 'parties', i],
            message: `expected a team or users for party ${quoted(party.name)}, found neither`,
            hint: 'A party without members could never sign: name a team, or users.',
          },
        ]
      : [],
  )

const signaturesFitTogether: Rule = ({ signoff }) => {
  const { parties, profiles } = signoff
  const named = (list: readonly string[], place: (index: number) => (string | number)[]): Finding[] =>
    list.flatMap((name, index): Finding[] =>
      parties.some((party) => party.name === name)
        ? []
        : [
            {
              code: 'unknown-name',
              path: place(index),
              among: 'signoff',
              message: `expected the name of a party, found ${quoted(name)}`,
              hint: `Known here: ${parties.map((party) => quoted(party.name)).join(', ')}.`,
            },
          ],
    )
  const optional = new Set(parties.filter((party) => party.optional).map((party) => party.name))
  return [
    ...duplicates(
      profiles.map((profile) => profile.name),
      'profile',
      (i) => ['signoff', 'profiles', i, 'name'],
    ),
    ...profiles.flatMap((profile, i) => [
      ...named(profile.parties, (j) => ['signoff', 'profiles', i, 'parties', j]),
      ...(profile.parties.every((name) => optional.has(name))
        ? [
            {
              code: 'nobody' as const,
              path: ['signoff', 'profiles', i, 'parties'],
              message: `expected a party that must sign in profile ${quoted(profile.name)}, found only optional ones`,
              hint: 'Nothing is approved without one.',
            },
          ]
        : []),
    ]),
    ...parties.flatMap((party, i) => [
      ...named(party.after ?? [], (j) => ['signoff', 'parties', i, 'after', j]),
      ...(waitsForItself(party.name, parties) ? [endlessWait(party.name, i)] : []),
    ]),
  ]
}

const endlessWait = (name: string, index: number): Finding => ({
  code: 'endless-wait',
  path: ['signoff', 'parties', index, 'after'],
  message: `expected parties that do not wait for each other, found that ${quoted(name)} waits for itself`,
  hint: 'Take one of the names out of after.',
})

function waitsForItself(name: string, parties: Configuration['signoff']['parties']): boolean {
  const seen = new Set<string>()
  const todo = [name]
  for (const current of todo) {
    for (const before of parties.find((party) => party.name === current)?.after ?? []) {
      if (before === name) return true
      if (!seen.has(before)) todo.push(before)
      seen.add(before)
    }
  }
  return false
}

const stepsSayWhere: Rule = (c) =>
  c.checklist.flatMap((step, i) =>
    step.machine === 'deployed' && step.environment === undefined
      ? [
          {
            code: 'incomplete-step' as const,
            path: ['checklist', i],
            message: `expected an environment for step ${quoted(step.id)}, which is ticked by a deployment, found none`,
            hint: 'Add environment: beside machine: deployed.',
          },
        ]
      : [],
  )

/** What a board, a checklist or a public page tells is told to everybody: a ring that is not cannot be in it. */
const kept: Rule = (c) =>
  c.rings.flatMap((ring, i): Finding[] => {
    if (ring.visibleTo === undefined) return []
    const told = (path: (string | number)[], what: string): Finding => ({
      code: 'told-to-all',
      path,
      message: `expected ${what} of a ring that everybody is told of, found ring ${quoted(ring.label)}, which has visibleTo`,
      hint: 'Take visibleTo from the ring, or leave this to a ring without it.',
    })
    const isIn = (name: string | undefined): boolean => name !== undefined && ring.environments.includes(name)
    return [
      ...(ring.downloads ? [told(['rings', i, 'downloads'], 'public downloads')] : []),
      ...c.checklist.flatMap((step, j) =>
        step.machine === 'deployed' && isIn(step.environment)
          ? [told(['checklist', j, 'environment'], 'an environment')]
          : [],
      ),
      ...c.completion.environments.flatMap((name, j) =>
        isIn(name) ? [told(['completion', 'environments', j], 'an environment')] : [],
      ),
    ]
  })

const requirementsCompile: Rule = (c) =>
  c.cohorts.flatMap((cohort, i) => {
    if (cohort.requirement === undefined) return []
    const compiled = compileRequirement(cohort.requirement, cohort.requirementDialect)
    if (compiled.ok) return []
    return [
      {
        code: 'invalid-requirement' as const,
        path: ['cohorts', i, 'requirement'],
        message: compiled.problems.map((problem) => problem.message).join('; '),
        hint: `Write it in the ${cohort.requirementDialect} dialect, such as ">= 1.0.0".`,
      },
    ]
  })

const tagPatternsName: Rule = (c) =>
  c.products.flatMap(({ tagPattern }, i) => {
    const read = tagPattern === undefined ? null : parseTagPattern(tagPattern)
    if (read === null || read.ok) return []
    return read.problems.map(({ message, hint = '' }) => ({
      code: 'tag-pattern' as const,
      path: ['products', i, 'tagPattern'],
      message,
      hint,
    }))
  })

const bumpRulesRead: Rule = (c) =>
  c.products.flatMap((product, i) => {
    const read = bumpConfigOf(product)
    if (read.ok) return []
    return read.problems.map(({ message }) => ({
      code: 'bump-rule' as const,
      path: ['products', i, 'bump', 'rules'],
      message,
      hint: 'One rule a line: a type, or a type(scope), and what it asks for: none, patch, minor or major.',
    }))
  })

const labelLevelsRead: Rule = (c) =>
  c.products.flatMap((product, i): Finding[] => {
    const { source = 'commits', labelLevels } = product.bump ?? {}
    const path = ['products', i, 'bump', 'labelLevels']
    if (labelLevels !== undefined && source !== 'labels') {
      return [
        {
          code: 'no-effect',
          path,
          message: `expected labelLevels only beside source: labels, found them beside source: ${source}`,
          hint: 'No label is read there: take labelLevels out, or let labels decide.',
        },
      ]
    }
    const read = pullRequestRuleOf(product)
    if (read.ok) return []
    return read.problems.map(({ message }) => ({
      code: 'label-level',
      path,
      message,
      hint: 'One label a line, and what it asks for: none, patch, minor or major.',
    }))
  })

const exclusionsLeadInside: Rule = (c) =>
  c.products.flatMap(({ exclude = [] }, i) => {
    const read = parseProductPlace({ path: '.', exclude, otherPaths: [] })
    if (read.ok) return []
    return read.problems.map(({ message }) => ({
      code: 'bad-path' as const,
      path: ['products', i, 'exclude'],
      message,
      hint: 'Write it from the root of the repository, such as services/api.',
    }))
  })

const RULES: readonly Rule[] = [
  uniqueNames,
  environmentsInOneRing,
  knownNames,
  partiesHaveMembers,
  signaturesFitTogether,
  stepsSayWhere,
  kept,
  requirementsCompile,
  tagPatternsName,
  bumpRulesRead,
  labelLevelsRead,
  exclusionsLeadInside,
]

/** Every rule that the configuration breaks; empty when it is sound. */
export const findings = (configuration: Configuration): Finding[] => RULES.flatMap((rule) => rule(configuration))

/** Rings in their order, lowest first, whatever their order in the file. */
export const inOrder = (configuration: Configuration): Configuration => ({
  ...configuration,
  rings: [...configuration.rings].sort((a, b) => compareRings(a.ring, b.ring)),
})

export type ConfigProblem = Problem<'yaml' | 'schema' | Finding['code'] | 'missing' | 'too-large'>
