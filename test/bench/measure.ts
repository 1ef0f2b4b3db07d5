/** One thing that is measured: it does its work `count` times and returns something that depends on all of it. */
export interface Contender {
  readonly name: string
  readonly work: (count: number) => unknown
}

const ROUNDS = 7
const ROUND_MS = 120

export const medianOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** How often the work fits into one round; measuring this also warms it up. */
function countFor(work: Contender['work']): number {
  for (let count = 1; ; count *= 2) {
    const started = performance.now()
    work(count)
    const tookMs = performance.now() - started
    if (tookMs > ROUND_MS / 4) return Math.max(1, Math.round((count * ROUND_MS) / tookMs))
  }
}

/**
 * Times a second for each contender, by name: the median over several rounds. Every round runs all of them, so that
 * they share the machine's good and bad moments.
 */
export function ratesOf(contenders: readonly Contender[]): ReadonlyMap<string, number> {
  const planned = contenders.map((contender) => ({ ...contender, count: countFor(contender.work) }))
  const rates = new Map(contenders.map(({ name }): [string, number[]] => [name, []]))
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { name, work, count } of planned) {
      const started = performance.now()
      work(count)
      rates.get(name)?.push((count * 1_000) / (performance.now() - started))
    }
  }
  return new Map([...rates].map(([name, all]) => [name, medianOf(all)]))
}

/** A whole number with commas between its thousands. */
export const grouped = (value: number): string => Math.round(value).toLocaleString('en-US')

export const times = (value: number): string => `${value < 10 ? value.toFixed(1) : grouped(value)}×`

/** A Markdown table; all columns but the first are set to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, at) => (at === 0 ? '---' : '---:'))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

/** What was measured against what is wanted of it. */
export interface Target {
  readonly name: string
  readonly found: number
  readonly limit: 'at most' | 'at least'
  readonly wanted: number
  readonly unit: string
}

export const isMet = ({ found, limit, wanted }: Target): boolean =>
  limit === 'at most' ? found <= wanted : found >= wanted

const exactly = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 2 })

export const toldOf = (target: Target): string => {
  const { name, found, limit, wanted, unit } = target
  return `${isMet(target) ? 'Met' : 'Missed'}: ${name}: expected ${limit} ${exactly(wanted)} ${unit}, found ${exactly(found)}`
}
