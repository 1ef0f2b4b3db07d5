import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { readWithin, toRewrite } from '../../src/git/checkout-file.ts'

let above: string
let root: string

beforeEach(() => {
  above = mkdtempSync(join(tmpdir(), 'ringmaster-checkout-'))
  root = join(above, 'checkout')
  mkdirSync(join(root, 'folder'), { recursive: true })
  writeFileSync(join(above, 'secret'), 'secret')
  writeFileSync(join(root, 'folder/VERSION'), '1.2.3')
  symlinkSync(join(above, 'secret'), join(root, 'out'))
  symlinkSync('folder/VERSION', join(root, 'in'))
  symlinkSync('round', join(root, 'round'))
})
afterEach(() => rmSync(above, { recursive: true }))

describe('a file of a checkout', () => {
  it.each([
    ['.', 'folder/VERSION'],
    ['folder', 'VERSION'],
    ['.', 'in'],
  ])('is read from %s at %s', async (from, path) => {
    expect(await readWithin(root, from, path)).toMatchObject({ bytes: Buffer.from('1.2.3') })
  })

  it.each([
    ['none', 'none', 'nothing'],
    ['none', 'none/VERSION', 'nothing'],
    ['none', 'folder', 'a folder'],
    ['none', 'round', 'ELOOP'],
    ['outside', '../secret', 'a path out of the workspace'],
    ['outside', 'out', 'a link out of the workspace'],
  ])('is not had (%s) at %s', async (why, path, found) => {
    expect(await readWithin(root, '.', path)).toEqual({ why, found })
  })

  it('is read up to a size, and refused above it also where nobody named it', async () => {
    expect(await readWithin(root, '.', 'in', 5)).toMatchObject({ bytes: Buffer.from('1.2.3') })
    const read = await readWithin(root, '.', 'in', 4)
    expect(read).toEqual({ why: 'unreadable', found: '5 bytes, more than the 4 that are read' })
    expect(() => toRewrite(read, 'in')).toThrow('found 5 bytes')
  })
})
