import { z } from 'zod'
import { Audience, RoleBinding } from '../access/schema.ts'
import { BrakeRules } from '../cohort/brake-schema.ts'
import { EnvironmentName, ProductName } from '../product/schema.ts'
import { changeSources } from '../version/pull-requests.ts'
import { PreMajor, PresetName } from '../version/schema.ts'
import { versionSchemes } from '../version/version.ts'

const Text = (max: number) => z.string().min(1).max(max)
const RepositoryName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/, 'expected owner/name')
  .max(200)

/** Short identifiers that people choose in the configuration and that appear in paths and addresses. */
export const Identifier = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, 'expected 1 to 64 lower-case letters, digits and inner hyphens')

/** An ordered decimal, kept as text: 0, 1, 1.5, 3.5. */
export const RingNumber = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,3})(?:\.[0-9]{1,3})?$/, 'expected a decimal such as "1.5"')

const BumpOptions = z.strictObject({
  source: z
    .enum(changeSources)
    .optional()
    .describe(
      'What says what a change asks for: `commits`, or the `titles` or `labels` of the pull requests that brought them; `commits` when left out.',
    ),
  labelLevels: z
    .array(Text(200))
    .max(200)
    .optional()
    .describe(
      'With `source: labels`: what labels ask for, such as `feature: minor`; `*: patch` is for pull requests without one of them. Usual labels are known when left out.',
    ),
  preset: PresetName.default('ringmaster').describe('How its commits are read.'),
  rules: z
    .array(Text(500))
    .max(200)
    .optional()
    .describe("Rules tried before the preset's own, such as `docs(readme): patch` or `chore: none`."),
  visibleTypes: z
    .array(Text(200))
    .max(200)
    .optional()
    .describe("The types that make a release; the preset's own when left out."),
  preMajor: PreMajor.optional().describe("What is asked for below 1.0.0; the preset's own when left out."),
})

/** What customers read of a product, and what they do not. */
const NotesOptions = z.strictObject({
  internalScopes: z
    .array(Text(200))
    .max(200)
    .optional()
    .describe('Scopes of commits that customers never read about, whatever the type; none when left out.'),
  externalTypes: z
    .array(Text(200))
    .max(200)
    .optional()
    .describe('Types of commits that customers read about; those that release when left out.'),
})

export const ProductConfig = z.strictObject({
  name: ProductName.describe('The name under which the product is recorded.'),
  repository: RepositoryName.describe('owner/name of the repository that builds it.'),
  path: Text(500).optional().describe('Its folder, when the repository holds several products.'),
  environments: z
    .array(EnvironmentName)
    .max(100)
    .optional()
    .describe('Where it deploys; every environment of the rings when left out.'),
  scheme: z
    .enum(versionSchemes)
    .optional()
    .describe('How it numbers its versions: a build of another form is refused; any text is taken when left out.'),
  tagPattern: Text(200)
    .optional()
    .describe(
      'How its tags are named, with {version} once; "v{version}" when left out, below a folder "name/v{version}".',
    ),
  versionFiles: z
    .array(Text(500))
    .max(50)
    .optional()
    .describe(
      'Files that hold its version, from the root of the repository; package.json and its like in its folder when left out.',
    ),
  exclude: z
    .array(Text(500))
    .max(100)
    .optional()
    .describe('Folders and files whose changes do not count for it; none when left out.'),
  bump: BumpOptions.optional().describe(
    'How its commits become versions; the preset `ringmaster` as it comes when left out.',
  ),
  notes: NotesOptions.optional().describe('What its notes tell customers; as the presets have it when left out.'),
})

export const GateConfig = z.strictObject({
  signoff: z.boolean().default(true).describe('Only versions of a signed-off release may enter.'),
  previousRing: z
    .boolean()
    .default(true)
    .describe('Only versions that completed in every environment of the ring before.'),
  distinctPeople: z
    .int()
    .min(1)
    .max(20)
    .optional()
    .describe('How many different people must have signed; 2 before customers and 1 elsewhere when left out.'),
})

export const RingConfig = z.strictObject({
  ring: RingNumber.describe('The order of the ring, as decimal text.'),
  label: Text(100).describe('Its name for people.'),
  environments: z.array(EnvironmentName).min(1).max(50).describe('The environments that make the ring.'),
  audience: Text(200).optional().describe('Who meets a version here.'),
  visibleTo: Audience.optional().describe(
    'Who is told what is in the ring; everybody who reads the issue when left out.',
  ),
  purpose: Text(500).optional().describe('What is learned here.'),
  customers: z
    .boolean()
    .optional()
    .describe('Whether customers meet versions here; where the ring serves cohorts when left out.'),
  gate: GateConfig.optional().describe('What a version needs to enter; without it the ring is open.'),
  cohorts: z.array(Identifier).max(1_000).default([]).describe('The cohorts of devices that the ring serves.'),
  downloads: z
    .boolean()
    .optional()
    .describe('Whether a public page links what its cohorts may download; none when left out.'),
})

export const PartyConfig = z.strictObject({
  name: Text(50).describe('Engineering, Product, QA, Security …'),
  team: z
    .string()
    .regex(/^([A-Za-z0-9-]+\/)?[A-Za-z0-9_.-]+$/, 'expected organization/team-slug or team-slug')
    .optional()
    .describe('Its members, as a team; without an organization one of that of the release repository.'),
  users: z.array(Text(100)).max(100).default([]).describe('Its members by login, beside or instead of a team.'),
  seats: z.int().min(1).max(20).default(1).describe('How many of them must approve.'),
  optional: z.boolean().default(false).describe('An optional party is shown and never waited for.'),
  after: z
    .array(Text(50))
    .max(20)
    .optional()
    .describe('Parties that sign first: an approval that came before theirs does not count.'),
})

export const StepConfig = z.strictObject({
  id: Identifier.describe('Stable: people and tools tick it by this.'),
  text: Text(300).describe('What is to be done.'),
  machine: z
    .enum(['versions-recorded', 'signed-off', 'deployed'])
    .optional()
    .describe('A fact that ticks the box by itself.'),
  environment: EnvironmentName.optional().describe('For deployed: where.'),
})

/** Who signs where no party is named: each a team of the organization, which blocks as long as there is none. */
const USUAL_PARTIES = [
  { name: 'Engineering', team: 'engineering' },
  { name: 'Product', team: 'product' },
  { name: 'QA', team: 'qa' },
  { name: 'Security', team: 'security' },
]

export const SignoffConfig = z.strictObject({
  parties: z.array(PartyConfig).min(1).max(20).prefault(USUAL_PARTIES).describe('Who must sign a release off.'),
  authorMaySign: z.boolean().default(false).describe('Whether those who changed the composition may sign it.'),
  expiresHours: z.int().min(1).max(8_760).optional().describe('How long an approval counts.'),
  dismissers: z
    .array(Text(100))
    .max(50)
    .default([])
    .describe('Who may lift the veto of another person: logins, and teams as organization/team-slug.'),
  profiles: z
    .array(
      z.strictObject({
        name: Text(50).describe('What /set profile names.'),
        parties: z.array(Text(50)).min(1).max(20).describe('The parties that sign a release of this profile.'),
      }),
    )
    .max(20)
    .default([])
    .describe('Kinds of releases that only some of the parties sign; without one all of them do.'),
  reminders: z
    .strictObject({
      afterHours: z.int().min(1).max(720).describe('How long signatures are waited for before the first reminder.'),
      everyHours: z.int().min(1).max(720).default(24).describe('How often it is repeated.'),
      escalateAfterHours: z
        .int()
        .min(1)
        .max(2_160)
        .optional()
        .describe('When others are told beside those who could sign.'),
      escalateTo: z.array(Text(100)).max(20).default([]).describe('Their logins.'),
    })
    .optional()
    .describe('Who could sign and has not is mentioned on the proposal; left out, nobody is.'),
})

export const ViewsConfig = z.strictObject({
  checksums: z.boolean().default(false).describe('Whether there is a signed SHA256SUMS.'),
  graphTargets: z
    .array(Text(100))
    .max(50)
    .default([])
    .describe('The targets that have a Cincinnati graph each, as artifacts name them.'),
  tally: z
    .boolean()
    .default(false)
    .describe('Whether it is public how many of the enrolled each release permits; needs a roster, and names nobody.'),
})

export const CohortConfig = z.strictObject({
  id: Identifier.describe('Stands in addresses: choose an opaque one for a public host.'),
  product: ProductName.describe('Whose artifacts its devices install.'),
  requirementDialect: z.enum(['elixir', 'npm']).default('elixir').describe('How version requirements are read.'),
  requirement: Text(200)
    .optional()
    .describe('Which installed versions below its own a new release may be taken from; all of them when left out.'),
  pollAfterSeconds: z.int().min(60).max(604_800).default(3_600).describe('How often its devices ask.'),
  admission: z
    .enum(['static', 'claims'])
    .default('static')
    .describe('How phases let devices in: by the manifest alone, or counted by the server, first come, first served.'),
  firstPhase: z
    .enum(['everybody', 'nobody'])
    .default('everybody')
    .describe('Whom a new release is open to before anybody says /phase.'),
  views: ViewsConfig.optional().describe('Files beside the manifest for clients that read none; none when left out.'),
  brakes: BrakeRules.optional().describe('When a phase halts by itself; never when left out.'),
  enrolmentKeys: z
    .array(z.string().regex(/^[0-9a-f]{64}$/, 'expected the 64 hexadecimal digits of an ed25519 public key'))
    .max(20)
    .default([])
    .describe('Public keys that vouch for the enrolment records of its devices.'),
  validHours: z.int().min(1).max(8_760).default(168).describe('How long a published manifest holds.'),
})

/** The configuration as people write it: `.github/ringmaster.yml` of the release repository. */
export const Configuration = z.strictObject({
  schemaVersion: z.literal(1).describe('The version of this format.'),
  products: z.array(ProductConfig).min(1).max(1_000).describe('What gets versioned, deployed and released.'),
  rings: z.array(RingConfig).min(1).max(50).describe('The steps of validation, from the first to the last.'),
  signoff: SignoffConfig.prefault({}).describe('Who signs releases, and what counts.'),
  checklist: z.array(StepConfig).max(200).default([]).describe('The steps of every release issue.'),
  completion: z
    .strictObject({
      environments: z
        .array(EnvironmentName)
        .min(1)
        .max(50)
        .describe('Where every version of a release has to be live.'),
      notes: z
        .boolean()
        .default(false)
        .describe('Whether the notes of a release are told on its issue when it completes, as by /notes.'),
    })
    .describe('A release is complete when every version is live in all of these.'),
  roles: z.array(RoleBinding).max(50).default([]).describe('Who may do what.'),
  cohorts: z.array(CohortConfig).max(1_000).default([]).describe('Groups of devices, each with a manifest of its own.'),
})
export type Configuration = z.infer<typeof Configuration>
export type RingConfig = z.infer<typeof RingConfig>
export type PartyConfig = z.infer<typeof PartyConfig>
export type StepConfig = z.infer<typeof StepConfig>
export type SignoffConfiguration = z.infer<typeof SignoffConfig>
export type CohortConfig = z.infer<typeof CohortConfig>
export type ProductConfig = z.infer<typeof ProductConfig>
