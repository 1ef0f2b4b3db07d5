import { z } from 'zod'
import { RingmasterError } from '../core/problem.ts'
import { type ProductNotes, renderReleaseNotes } from '../render/notes.ts'
import type { CommandIo, ExitCode } from './command.ts'
import { readDocument } from './files.ts'

/** What becomes an address in the notes is held to the form of one. */
const RepositoryName = z.string().regex(/^[A-Za-z0-9-]{1,39}\/[\w.-]{1,100}$/)

const Entry = z.object({
  sha: z
    .string()
    .regex(/^[0-9a-f]{40,64}$/)
    .nullable(),
  scope: z.string().nullable(),
  subject: z.string(),
  breaking: z.string().nullable(),
  pullRequest: z.int().nullable(),
  references: z.array(z.object({ repository: RepositoryName.nullable(), number: z.int(), closes: z.boolean() })),
})

/** What `ringmaster notes --json` tells of one product. */
const Document = z.object({
  product: z.string().min(1),
  version: z.string().min(1),
  repository: z
    .url({ protocol: /^https?$/ })
    .regex(/^[^()\s<>]+$/)
    .nullable(),
  notes: z.object({
    audience: z.enum(['internal', 'external']),
    breaking: z.array(Entry),
    groups: z.array(
      z.object({
        type: z.string(),
        title: z.string(),
        scopes: z.array(z.object({ scope: z.string().nullable(), entries: z.array(Entry) })),
      }),
    ),
    contributors: z.array(z.string()),
  }),
})

/**
 * Tells a whole release from the notes of its products, in the order given. Refuses notes for different audiences: what
 * is internal of one product would stand among what customers read.
 */
export async function tellRelease(paths: readonly string[], io: CommandIo): Promise<ExitCode> {
  const products: ProductNotes[] = []
  for (const path of paths) products.push(await readDocument(path, Document, 'notes of a product as JSON'))
  const audiences = new Set(products.map(({ notes }) => notes.audience))
  if (audiences.size > 1) {
    throw new RingmasterError('bad-input', {
      code: 'audiences-differ',
      message: 'expected the notes of all products for one audience, found both',
      hint: 'make all of them with the same --audience',
    })
  }
  const markdown = renderReleaseNotes(products)
  io.out(io.json ? JSON.stringify({ products: products.map(({ product }) => product), markdown }) : markdown)
  return 0
}
