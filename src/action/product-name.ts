import { accepted, type Checked, rejected } from '../core/problem.ts'
import type { RunContext } from './context.ts'
import type { Inputs } from './read-inputs.ts'

/** The product that a record is about: as given, or the repository's name. A part of a repository must be named. */
export function productNameOf(
  inputs: Inputs,
  context: Pick<RunContext, 'repository'>,
): Checked<string, 'product-missing'> {
  if (inputs.product !== null) return accepted(inputs.product)
  if (inputs.path === null) return accepted(context.repository)
  return rejected({
    code: 'product-missing',
    message: 'expected the input product beside path, found none',
    hint: 'name the product that lives in that folder',
    path: 'product',
  })
}
