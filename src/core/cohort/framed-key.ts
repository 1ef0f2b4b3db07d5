/**
 * One text for a list of texts, different for different lists whatever the texts hold: each has its length in front,
 * and an absent one has none. For Map keys in loops over whole fleets, where JSON would cost more than the decision.
 */
export function framedKey(parts: readonly (string | null | undefined)[]): string {
  let key = ''
  for (const part of parts) key += part == null ? '-;' : `${part.length}:${part};`
  return key
}
