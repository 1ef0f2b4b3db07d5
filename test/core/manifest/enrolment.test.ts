import { describe, expect, it } from '@jest/globals'
import { type EnrolmentRecord, enrolmentBytes, isEnrolledBy } from '../../../src/core/manifest/enrolment.ts'
import { newSigner } from '../../device/fleet.ts'

const signer = newSigner()
const publicHex = signer.key.keyVal['public'] ?? ''
const enrolment = {
  schema: 'ringmaster/enrolment/1' as const,
  pseudonym: 'p-1',
  cohort: 'eu',
  epoch: 3,
  tags: ['pilot'],
}
const record = async (): Promise<EnrolmentRecord> => ({
  ...enrolment,
  signature: Buffer.from(await signer.sign(enrolmentBytes(enrolment))).toString('hex'),
})

describe('an enrolment record', () => {
  it('is known by the key that made it, whatever the order of its members', async () => {
    const { signature, ...content } = await record()
    const turned = Object.fromEntries([
      ['signature', signature],
      ...Object.entries(content).reverse(),
    ]) as EnrolmentRecord
    expect(isEnrolledBy(turned, publicHex)).toBe(true)
  })

  it.each<[string, Partial<EnrolmentRecord>]>([
    ['an earlier epoch', { epoch: 0 }],
    ['another cohort', { cohort: 'us' }],
    ['a tag more', { tags: ['pilot', 'lab'] }],
    ['another pseudonym', { pseudonym: 'p-2' }],
    ['no true signature', { signature: '00'.repeat(64) }],
  ])('with %s is not', async (_name, changes) => {
    expect(isEnrolledBy({ ...(await record()), ...changes }, publicHex)).toBe(false)
  })

  it('is not known by another key, nor by something that is none', async () => {
    expect(isEnrolledBy(await record(), newSigner().key.keyVal['public'] ?? '')).toBe(false)
    expect(isEnrolledBy(await record(), 'zz')).toBe(false)
  })
})
