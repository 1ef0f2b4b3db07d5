import { createPublicKey, verify } from 'node:crypto'
import { z } from 'zod'
import { Epoch, Id, Tag } from '../cohort/schema.ts'
import { canonicalJson } from '../json.ts'

const content = {
  schema: z.literal('ringmaster/enrolment/1'),
  /** Random 128 bits, or the digest of a device key; never a serial number. */
  pseudonym: z.string().min(1).max(256),
  cohort: Id,
  epoch: Epoch,
  tags: z.array(Tag).max(1_000),
}

/** What is signed of an enrolment. */
export const Enrolment = z.strictObject(content)
export type Enrolment = z.infer<typeof Enrolment>

/** What a device holds: its enrolment with the enrolment key's signature (128 hexadecimal digits, ed25519). */
export const EnrolmentRecord = z.strictObject({ ...content, signature: z.string().regex(/^[0-9a-f]{128}$/) })
export type EnrolmentRecord = z.infer<typeof EnrolmentRecord>

/** The bytes that the enrolment key signs; the prefix keeps the signature from meaning anything elsewhere. */
export const enrolmentBytes = (enrolment: Enrolment): Uint8Array =>
  Buffer.from(`ringmaster/enrolment/1\n${canonicalJson(enrolment)}`, 'utf8')

const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex')

/** Whether the record was signed by the enrolment key (its 32 public bytes as hexadecimal digits). */
export function isEnrolledBy(record: EnrolmentRecord, publicHex: string): boolean {
  const { signature, ...enrolment } = record
  const der = Buffer.concat([SPKI_ED25519, Buffer.from(publicHex, 'hex')])
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
    return verify(null, enrolmentBytes(enrolment), key, Buffer.from(signature, 'hex'))
  } catch {
    return false
  }
}
