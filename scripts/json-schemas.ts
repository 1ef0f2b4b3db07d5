import { z } from 'zod'
import { Configuration } from '../src/core/config/schema.ts'
import { DeploymentRecord } from '../src/core/deployment/schema.ts'
import { LedgerLine } from '../src/core/event.ts'
import { EnrolmentRecord } from '../src/core/manifest/enrolment.ts'
import { BundleDocument, Manifest, SigningRequest } from '../src/core/manifest/schema.ts'
import { ChannelSource } from '../src/core/manifest/source.ts'
import { BuildRecord } from '../src/core/product/schema.ts'
import { Head } from '../src/ledger/schema.ts'

interface Described {
  readonly file: string
  readonly title: string
  readonly description: string
  readonly schema: z.ZodType
}

/** Every file that leaves the project, or enters it, and the schema that its code reads it by. */
const DESCRIBED: readonly Described[] = [
  {
    file: 'configuration',
    title: 'Configuration',
    description: '.github/ringmaster.yml of the release repository.',
    schema: Configuration,
  },
  {
    file: 'channel-file',
    title: 'Channel file',
    description: 'What one cohort is offered, for `ringmaster manifest publish` and the Action; docs/channel-file.md.',
    schema: ChannelSource,
  },
  {
    file: 'manifest',
    title: 'Manifest',
    description: 'What the devices of a cohort fetch.',
    schema: Manifest,
  },
  {
    file: 'bundle',
    title: 'Bundle document',
    description: 'A bundle as it is published and signed.',
    schema: BundleDocument,
  },
  {
    file: 'build-record',
    title: 'Build record',
    description: 'The json fence in the text of a check run named "ringmaster/build <product>".',
    schema: BuildRecord,
  },
  {
    file: 'deployment-record',
    title: 'Deployment record',
    description: 'The payload of a GitHub Deployment whose task is "ringmaster".',
    schema: DeploymentRecord,
  },
  {
    file: 'ledger-event',
    title: 'Ledger event',
    description: 'One line of an event file. The members of data depend on type; docs/ledger.md lists them.',
    schema: LedgerLine,
  },
  {
    file: 'ledger-head',
    title: 'Ledger head',
    description: 'head.json of the data branch.',
    schema: Head,
  },
  {
    file: 'enrolment-record',
    title: 'Enrolment record',
    description: 'What an enrolled device holds.',
    schema: EnrolmentRecord,
  },
  {
    file: 'signing-request',
    title: 'Signing request',
    description: 'A file that is carried to the holders of offline keys and back.',
    schema: SigningRequest,
  },
]

/** Draft 2020-12, as written by people: members with a default may be left out. */
function jsonSchemaOf({ title, description, schema }: Described): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return { $schema, title, description, ...rest }
}

/** Path → text of every JSON Schema under `schemas/`, in a fixed order. */
export const schemaFiles = (): ReadonlyMap<string, string> =>
  new Map(DESCRIBED.map((entry) => [`schemas/${entry.file}.json`, `${JSON.stringify(jsonSchemaOf(entry), null, 2)}\n`]))
