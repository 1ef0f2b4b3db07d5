/** Whether a value holds others at most so many levels deep, however deep it is: a scalar holds none. */
export function isNestedAtMost(value: unknown, levels: number): boolean {
  let held: readonly unknown[] = [value]
  for (let level = 0; level <= levels; level += 1) {
    held = held.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
    if (held.length === 0) return true
  }
  return false
}
