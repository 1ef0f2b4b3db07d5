import { tallyOfPhase } from '../core/cohort/tally.ts'
import { Enrolment, type EnrolmentRecord, enrolmentBytes } from '../core/manifest/enrolment.ts'
import { checkIssues } from '../core/manifest/issues.ts'
import { type Problem, quoted, RingmasterError, unwrap } from '../core/problem.ts'
import { directoryPublication } from '../publish/directory.ts'
import type { Place } from '../publish/place.ts'
import { readManifest } from '../publish/publish-manifests.ts'
import { readRepository } from '../publish/read-back.ts'
import { readRosterPlace, rosterAt } from '../publish/roster-place.ts'
import { type FileSigner, keyFileSigner } from '../publish/signer.ts'
import type { Enrolling, RosterStore } from '../roster/store.ts'
import { type CliCommand, type CommandIo, needed, optionsOf, usageError } from './command.ts'
import { newPseudonym } from './enrol.ts'
import { readInput, writeOutput } from './files.ts'

/** The clock of the store's signatures is the system's own, as with a publication. */
export const rosterOf = (text: string, published: Place | null, { env }: CommandIo): RosterStore =>
  rosterAt(unwrap(readRosterPlace(text, env, published)), () => new Date().toISOString())

/** Nobody mends more of them before trying again. */
const MOST_TOLD = 50

async function signedRecord(
  signer: FileSigner,
  content: Omit<Enrolment, 'schema' | 'tags'> & { readonly tags: readonly string[] },
): Promise<EnrolmentRecord> {
  const given = { schema: 'ringmaster/enrolment/1', ...content }
  const enrolment = unwrap(checkIssues(Enrolment, given, 'enrolment-invalid', 'the enrolment'))
  return { ...enrolment, signature: Buffer.from(await signer.sign(enrolmentBytes(enrolment))).toString('hex') }
}

/** One pseudonym a line; blank lines are nothing, and two devices of one pseudonym are refused, all of them at once. */
async function pseudonymsIn(path: string): Promise<string[]> {
  const text = Buffer.from(await readInput(path, 'a list of pseudonyms')).toString('utf8')
  const firstAt = new Map<string, number>()
  const repeated: Problem[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const pseudonym = line.trim()
    if (pseudonym === '') continue
    const first = firstAt.get(pseudonym)
    if (first === undefined) firstAt.set(pseudonym, index + 1)
    else
      repeated.push({
        code: 'pseudonym-repeated',
        message: `${path}:${index + 1}: expected each pseudonym once, found ${quoted(pseudonym)} again (first in line ${first})`,
        hint: 'Two devices of one pseudonym would count as one; give each its own.',
      })
  }
  if (repeated.length > 0) throw new RingmasterError('bad-input', repeated.slice(0, MOST_TOLD))
  return [...firstAt.keys()]
}

export const cohortEnrol: CliCommand = {
  name: 'cohort enrol',
  usage:
    'ringmaster cohort enrol --roster DIR|s3://BUCKET/PREFIX --key FILE --cohort ID [--pseudonym TEXT | --from FILE] [--tag TAG]… --out FILE',
  summary: 'Put devices on the roster of a cohort and make the signed records that they hold.',
  async run(args, io) {
    const values = optionsOf(cohortEnrol, args, {
      roster: { type: 'string' },
      key: { type: 'string' },
      cohort: { type: 'string' },
      pseudonym: { type: 'string' },
      from: { type: 'string' },
      tag: { type: 'string', multiple: true },
      out: { type: 'string' },
    })
    if (values.pseudonym !== undefined && values.from !== undefined)
      throw usageError('expected --pseudonym or --from, found both', cohortEnrol)
    const roster = rosterOf(needed(values.roster, 'roster', cohortEnrol), null, io)
    const cohort = needed(values.cohort, 'cohort', cohortEnrol)
    const out = needed(values.out, 'out', cohortEnrol)
    const signer = await keyFileSigner(needed(values.key, 'key', cohortEnrol))
    const pseudonyms =
      values.from === undefined ? [values.pseudonym ?? newPseudonym()] : await pseudonymsIn(values.from)
    const tags = values.tag ?? []
    const devices = pseudonyms.map((pseudonym): Enrolling => ({ pseudonym, tags }))
    /** Signed once before anything is kept: what no record can hold never comes to the roster. */
    for (const device of devices) await signedRecord(signer, { ...device, cohort, epoch: 0 })
    const enrolled = await roster.enrol(cohort, devices)
    const records = await Promise.all(enrolled.map((entry) => signedRecord(signer, { ...entry, cohort })))
    const lines = records.map((record) => `${JSON.stringify(record, null, values.from === undefined ? 2 : 0)}\n`)
    await writeOutput(out, lines.join(''))
    if (io.json) io.out(JSON.stringify({ enrolled: records.length, cohort, records: out }))
    else io.out(`${out}: ${records.length} device(s) enrolled in ${cohort}.`)
    return 0
  },
}

export const cohortTally: CliCommand = {
  name: 'cohort tally',
  usage: 'ringmaster cohort tally --roster DIR|s3://BUCKET/PREFIX --to DIR --root FILE --cohort ID',
  summary: 'Tell what each published release permits among the devices that are enrolled.',
  async run(args, io) {
    const values = optionsOf(cohortTally, args, {
      roster: { type: 'string' },
      to: { type: 'string' },
      root: { type: 'string' },
      cohort: { type: 'string' },
    })
    const cohort = needed(values.cohort, 'cohort', cohortTally)
    const directory = needed(values.to, 'to', cohortTally)
    const roster = rosterOf(needed(values.roster, 'roster', cohortTally), { kind: 'directory', directory }, io)
    const publication = directoryPublication(directory)
    const root = await readInput(needed(values.root, 'root', cohortTally), 'a root file')
    const enrolled = await roster.read(cohort, Number.MAX_SAFE_INTEGER)
    if (enrolled === null)
      throw absent(`a roster of ${cohort} in ${roster.name}`, 'ringmaster cohort enrol begins one.')
    const repository = unwrap(await readRepository(publication, root), 'refused')
    const manifest = await readManifest(publication, repository, cohort)
    if (manifest === undefined) throw absent(`a manifest of ${cohort} in ${publication.name}`, 'Publish one first.')
    const tallies = manifest.releases.map(({ id: release, phase }) => ({
      release,
      ...tallyOfPhase({ cohort, release, phase }, enrolled.entries, io.now),
    }))
    if (io.json) io.out(JSON.stringify({ cohort, tallies }))
    else
      for (const { release, permitted, enrolled: all, left } of tallies)
        io.out(`${JSON.stringify(release)}: ${permitted} of ${all} enrolled are permitted, ${left} left`)
    return 0
  },
}

const absent = (what: string, hint: string): RingmasterError =>
  new RingmasterError('refused', { code: 'not-there', message: `expected ${what}, found none`, hint })
