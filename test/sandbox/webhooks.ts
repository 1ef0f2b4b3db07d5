export interface DeliverySelector {
  readonly event?: string
  readonly action?: string
  readonly where?: (payload: Readonly<Record<string, unknown>>) => boolean
}

export interface DeliveryAttempt {
  readonly id: number
  readonly guid: string
  readonly appId: number
  readonly event: string
  readonly action: string | null
  readonly installationId: number | null
  readonly repositoryId: number | null
  readonly deliveredAt: string
  readonly redelivery: boolean
  readonly durationSeconds: number
  /** `OK`, or what went wrong. */
  readonly status: string
  /** 0 = no answer. */
  readonly statusCode: number
  readonly request: {
    readonly headers: Readonly<Record<string, string>>
    readonly payload: Readonly<Record<string, unknown>>
  }
  readonly response: { readonly headers: Readonly<Record<string, string>>; readonly payload: string }
}

/** The Apps' webhooks: delivered one after the other in order of happening, unless a switch says otherwise. */
export interface Webhooks {
  /** Every attempt, oldest first; the payload is kept. */
  readonly attempts: readonly DeliveryAttempt[]
  /** Holds deliveries back until `resume`. */
  pause(): void
  resume(): void
  /** The next `times` matching deliveries are never sent, and are not in the delivery log (default 1). */
  drop(selector: DeliverySelector, times?: number): void
  /** The next matching deliveries are sent twice, with the same GUID. */
  repeat(selector: DeliverySelector, times?: number): void
  /** The next matching deliveries are held back until `count` later ones are sent (or none is left). */
  delay(selector: DeliverySelector, count: number, times?: number): void
  /** What waits (while paused) is sent in the opposite order. */
  reverse(): void
  /** Sends an attempt's payload again: same GUID, new id. */
  redeliver(attemptId: number): Promise<void>
  /** Resolves when nothing is queued or under way (at once while paused). */
  settled(): Promise<void>
}
