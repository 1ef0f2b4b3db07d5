import { randomBytes } from 'node:crypto'
import { Enrolment, type EnrolmentRecord, enrolmentBytes } from '../core/manifest/enrolment.ts'
import { checkIssues } from '../core/manifest/issues.ts'
import { unwrap } from '../core/problem.ts'
import { keyFileSigner } from '../publish/signer.ts'
import { type CliCommand, needed, optionsOf, usageError } from './command.ts'
import { writeOutput } from './files.ts'

/** 128 random bits: nothing about the device can be read from its pseudonym, nor the other way round. */
export const newPseudonym = (): string => `p-${randomBytes(16).toString('hex')}`

export const keysEnrol: CliCommand = {
  name: 'keys enrol',
  usage: 'ringmaster keys enrol --key FILE --cohort ID --epoch N [--pseudonym TEXT] [--tag TAG]… --out FILE',
  summary: 'Make the signed enrolment record that a device holds.',
  async run(args, io) {
    const values = optionsOf(keysEnrol, args, {
      key: { type: 'string' },
      cohort: { type: 'string' },
      epoch: { type: 'string' },
      pseudonym: { type: 'string' },
      tag: { type: 'string', multiple: true },
      out: { type: 'string' },
    })
    const out = needed(values.out, 'out', keysEnrol)
    const epoch = needed(values.epoch, 'epoch', keysEnrol)
    if (!/^\d{1,9}$/.test(epoch))
      throw usageError(`expected a whole number for --epoch, found "${epoch.slice(0, 40)}"`, keysEnrol)
    const given = {
      schema: 'ringmaster/enrolment/1',
      pseudonym: values.pseudonym ?? newPseudonym(),
      cohort: needed(values.cohort, 'cohort', keysEnrol),
      epoch: Number(epoch),
      tags: values.tag ?? [],
    }
    const enrolment = unwrap(checkIssues(Enrolment, given, 'enrolment-invalid', 'the enrolment'))
    const signer = await keyFileSigner(needed(values.key, 'key', keysEnrol))
    const signature = Buffer.from(await signer.sign(enrolmentBytes(enrolment))).toString('hex')
    const record: EnrolmentRecord = { ...enrolment, signature }
    await writeOutput(out, `${JSON.stringify(record, null, 2)}\n`)
    io.out(
      io.json
        ? JSON.stringify({ enrolment: out, pseudonym: record.pseudonym })
        : `${out}: ${record.pseudonym} is enrolled in ${record.cohort} at epoch ${epoch}.`,
    )
    return 0
  },
}
