/**
 * A clock that never goes back. Where that of the machine is set back, this one goes on from where it stood: what is to
 * come after some time comes after that time.
 */
export function steadyClock(nowMs: () => number): () => number {
  let lastMs = Number.NEGATIVE_INFINITY
  let aheadMs = 0
  return () => {
    const machineMs = nowMs()
    aheadMs = Math.max(aheadMs, lastMs - machineMs)
    lastMs = machineMs + aheadMs
    return lastMs
  }
}
