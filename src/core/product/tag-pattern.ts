import type { ProductConfig } from '../config/schema.ts'
import type { Checked } from '../problem.ts'
import { parseTagPattern, type TagCode, type TagPattern } from '../version/tags.ts'

/** How the tags of a product are named. A folder's product never takes the repository's plain tags. */
export const tagPatternOf = (product: ProductConfig): Checked<TagPattern, TagCode> =>
  parseTagPattern(tagPatternText(product), product.scheme)

export const tagPatternText = ({ name, path, tagPattern }: ProductConfig): string =>
  tagPattern ?? (path === undefined ? 'v{version}' : `${name}/v{version}`)
