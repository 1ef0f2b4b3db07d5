import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import { isFromHere } from '../../src/app/is-from-here.ts'

const from = (remoteAddress: string | undefined, headers = {}) =>
  isFromHere({ headers, socket: { remoteAddress } as IncomingMessage['socket'] })

describe('a request', () => {
  it.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])('of %s comes from this machine', (address) => {
    expect(from(address)).toBe(true)
  })

  it.each([undefined, '', '10.0.0.1', '128.0.0.1', '::', '::2', '::ffff:10.0.0.1', 'fe80::1', 'localhost'])(
    'of %s does not',
    (address) => {
      expect(from(address)).toBe(false)
    },
  )

  it.each(['forwarded', 'x-forwarded-for', 'x-real-ip'])('that a proxy passed on with %s does not', (header) => {
    expect(from('127.0.0.1', { [header]: '127.0.0.1' })).toBe(false)
  })
})
