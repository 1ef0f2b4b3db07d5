import type { PresetName } from '../core/version/schema.ts'
import { versionSchemes } from '../core/version/version.ts'
import { COMMANDS, type CommandName } from './outputs.ts'

/** Spelled out here, because the schema would bring zod into the bump. */
export const PRESETS = [
  'ringmaster',
  'angular',
  'conventionalcommits',
  'release-please',
] as const satisfies readonly PresetName[]

/** Which commands read an input. */
type UsedBy = 'all' | readonly CommandName[]

/** One input of the registry. */
export interface InputDefinition {
  readonly description: string
  /** As `action.yml` has it; an expression is filled in by the runner alone. */
  readonly default?: string | { readonly expression: string }
  readonly usedBy: UsedBy
  /** Commands that cannot do without it. The runner itself does not enforce `required`. */
  readonly neededBy?: readonly CommandName[]
}

const LINED = ['bump', 'tag', 'notes', 'record-build'] as const
const VERSIONED = [...LINED, 'next-build'] as const
const RECORDS = ['record-build', 'record-deployment'] as const

/** Every input of the Action. `action.yml` declares exactly these, by test; none reaches the program but by `env:`. */
export const INPUTS = {
  command: { description: `What to do: ${COMMANDS.join(', ')}.`, usedBy: 'all', neededBy: COMMANDS },
  product: {
    description: 'The product’s name. The repository’s name unless given; needed where `path` is.',
    usedBy: [...VERSIONED, 'record-deployment'],
  },
  path: {
    description: 'The product’s folder from the root of its repository; of `validate-config` the file to check.',
    usedBy: [...VERSIONED, 'validate-config'],
  },
  exclude: {
    description: 'Folders that do not count for the product, one a line: documentation, examples.',
    usedBy: VERSIONED,
  },
  'other-paths': {
    description:
      'Folders of the repository’s other products, one a line; of two products the one with the longer path has what lies in both. The product’s own may stand among them.',
    usedBy: VERSIONED,
  },
  version: {
    description:
      'The version that was built, gets tagged, is told of or gets deployed. `record-build`, `tag` and `notes` compute it where it is absent.',
    usedBy: ['tag', 'notes', ...RECORDS],
    neededBy: ['record-deployment'],
  },
  environment: {
    description: 'The environment it gets deployed to; a GitHub Environment of the same name where there is one.',
    usedBy: ['record-deployment'],
    neededBy: ['record-deployment'],
  },
  status: {
    description:
      'pending, started, completed, failed or aborted, or a word that means one of them; a job’s own `job.status` is understood.',
    default: 'completed',
    usedBy: RECORDS,
  },
  sha: {
    description:
      'The commit, 40 hexadecimal digits. The run’s own commit unless given; a computed version belongs to the checked-out one.',
    usedBy: ['tag', ...RECORDS],
  },
  source: {
    description:
      'What says what a change asks for: `commits`, or the `titles` or `labels` of the pull requests that brought them (then the token needs `pull-requests: read`).',
    default: 'commits',
    usedBy: VERSIONED,
  },
  'label-levels': {
    description:
      'With `source: labels`: what labels ask for, one a line (`feature: minor`); `*: patch` is for pull requests without one of them.',
    usedBy: VERSIONED,
  },
  preset: {
    description: `How commits are read: ${PRESETS.join(', ')}.`,
    default: 'ringmaster',
    usedBy: VERSIONED,
  },
  rules: {
    description: 'Rules tried before the preset’s own, one a line: `docs(readme): patch`, `chore: none`.',
    usedBy: VERSIONED,
  },
  'visible-types': {
    description: 'Commit types that make a release, one a line or divided by commas.',
    usedBy: VERSIONED,
  },
  'pre-major-breaking': {
    description: 'What a breaking change asks for below 1.0.0: minor or major. The preset’s own unless given.',
    usedBy: VERSIONED,
  },
  'pre-major-feature': {
    description: 'What a feature asks for below 1.0.0: patch or minor. The preset’s own unless given.',
    usedBy: VERSIONED,
  },
  'tag-pattern': {
    description:
      'How release tags are written, with `{version}` in it. `v{version}` unless given; where `path` is given: `<product>/v{version}`.',
    usedBy: VERSIONED,
  },
  scheme: {
    description: `How the product numbers its versions: ${versionSchemes.join(', ')}. \`semver\` unless given, \`semver-build\` for \`next-build\`; a version that is none by it is refused.`,
    usedBy: VERSIONED,
  },
  'first-parent': {
    description: 'Read only the first parents of merges, so that a merge counts by its own message alone.',
    default: 'false',
    usedBy: VERSIONED,
  },
  prerelease: {
    description: 'Label of a line of pre-releases, such as `rc`: the next version is the next one of that line.',
    usedBy: LINED,
  },
  graduate: {
    description: 'Label of a line of pre-releases that ends: the next version is the release that it leads to.',
    usedBy: LINED,
  },
  'release-branch': {
    description:
      'Branch to cut where the tag is: `version` (release/v1.2.0) or `line` (release/v1.x). None unless given.',
    usedBy: ['tag'],
  },
  'github-release': {
    description: 'Publish a GitHub Release for the tag.',
    default: 'false',
    usedBy: ['tag'],
  },
  notes: {
    description: 'What the release tells: `commits` (our notes), `github` (notes that GitHub writes) or `none`.',
    default: 'commits',
    usedBy: ['tag'],
  },
  audience: {
    description:
      'For whom our notes are: `external` tells only what releases, and no internal scope; `internal` tells all.',
    default: 'external',
    usedBy: ['tag', 'notes'],
  },
  'external-types': {
    description:
      'Types that customers read about, one a line or divided by commas. Unless given: those that release. What breaks is told whatever its type.',
    usedBy: ['tag', 'notes'],
  },
  'internal-scopes': {
    description: 'Scopes that customers never read about, one a line or divided by commas.',
    usedBy: ['tag', 'notes'],
  },
  template: {
    description: 'A liquid template of the checkout that the notes are written by, from `working-directory`.',
    usedBy: ['notes'],
  },
  changelog: {
    description:
      'The changelog of the checkout that the version’s section is written into, from `working-directory`; committing it is another step’s work.',
    usedBy: ['notes'],
  },
  'check-changelog': {
    description: 'Only check that the changelog holds the version, and fail where it does not.',
    default: 'false',
    usedBy: ['notes'],
  },
  check: {
    description:
      'Show the bump as the check run `ringmaster/bump <product>`, on the head of the pull request where there is one (then the token needs `checks: write`).',
    default: 'false',
    usedBy: ['bump'],
  },
  'write-version-files': {
    description: 'Write the version into the product’s files of the checkout; committing them is another step’s work.',
    default: 'false',
    usedBy: ['bump'],
  },
  'version-files': {
    description:
      'Which files to write, one a line, from `working-directory`. Unless given: package.json and its lock, Cargo.toml, pyproject.toml, pom.xml and VERSION in the product’s folder, as far as they are there.',
    usedBy: ['bump'],
  },
  'working-directory': {
    description: 'Where the checkout is, from the workspace.',
    default: '.',
    usedBy: [...VERSIONED, 'validate-config', 'publish'],
  },
  'publish-to': {
    description:
      'Where manifests go: a directory of the workspace, or `s3://BUCKET/PREFIX` with the `AWS_` variables in the step’s `env`.',
    usedBy: ['publish'],
    neededBy: ['publish'],
  },
  root: {
    description: 'The root file that devices begin with, `1.root.json`.',
    usedBy: ['publish'],
    neededBy: ['publish'],
  },
  'online-keys': {
    description: 'The online keys in PEM, one after the other: a secret.',
    usedBy: ['publish'],
    neededBy: ['publish'],
  },
  channels: {
    description:
      'What cohorts are offered: channel files, one a line. With neither these nor requests the freshness is renewed.',
    usedBy: ['publish'],
  },
  requests: {
    description:
      'Complete signing requests (targets, bundles, roots), one a line; those that are published already are left out.',
    usedBy: ['publish'],
  },
  roster: {
    description:
      'The roster that exact counts and shares need: a directory of the workspace, or `s3://BUCKET/PREFIX` with the `AWS_` variables in the step’s `env`. Never inside of `publish-to`.',
    usedBy: ['publish'],
  },
  'accept-risk': {
    description: 'Publish the channels though the check before would refuse what they do to devices.',
    default: 'false',
    usedBy: ['publish'],
  },
  'valid-hours': {
    description: 'How long a manifest holds that goes out now.',
    default: '168',
    usedBy: ['publish'],
  },
  views: {
    description: 'Write the files for clients that read no manifests, for the cohorts of `channels`.',
    default: 'false',
    usedBy: ['publish'],
  },
  'public-url': {
    description:
      'Address that devices fetch from: it is waited for, at most ten minutes, until everything is there. Leave it out where a later step deploys.',
    usedBy: ['publish'],
  },
  artifacts: {
    description:
      'What was built for devices: lines of `name path url [target]`, or a JSON array of {name, url, target?, customMetadata?, path} or {name, url, target?, customMetadata?, size, sha256}.',
    usedBy: ['record-build'],
  },
  'customer-action': {
    description: 'What the customer has to do when the version is installed, in words; devices show it.',
    usedBy: ['record-build'],
  },
  'environment-url': { description: 'Where the deployed version can be seen.', usedBy: ['record-deployment'] },
  description: {
    description: 'A few words for people; at most 140 characters are kept.',
    usedBy: ['record-deployment'],
  },
  'fail-on-failed-status': {
    description: 'Fail the step after a failed status was recorded.',
    default: 'true',
    usedBy: RECORDS,
  },
  'dry-run': {
    description: 'Write nothing; say what would be done.',
    default: 'false',
    usedBy: ['tag', 'next-build', ...RECORDS],
  },
  'github-token': {
    description:
      'Needs `checks: write` to record builds and to ask for build numbers, `deployments: write` to record deployments and `contents: write` to tag.',
    default: { expression: 'github.token' },
    usedBy: [...VERSIONED, 'record-deployment'],
  },
} as const satisfies Record<string, InputDefinition>

export type InputName = keyof typeof INPUTS

/** `fail-on-failed-status` reaches the program as `RINGMASTER_INPUT_FAIL_ON_FAILED_STATUS`. */
export const environmentNameOf = (name: InputName): string =>
  `RINGMASTER_INPUT_${name.toUpperCase().replaceAll('-', '_')}`
