/** Orders two ring numbers (decimal text such as "1.5") by value: negative, zero or positive. Exact: no floating point. */
export function compareRings(a: string, b: string): number {
  const [wholeA = '0', partA = ''] = a.split('.')
  const [wholeB = '0', partB = ''] = b.split('.')
  const whole = Number(wholeA) - Number(wholeB)
  if (whole !== 0) return whole
  const digits = Math.max(partA.length, partB.length)
  return Number(partA.padEnd(digits, '0') || '0') - Number(partB.padEnd(digits, '0') || '0')
}
