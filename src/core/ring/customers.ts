import type { RingConfig } from '../config/schema.ts'

/** What reaches customers is more than one person's word. */
const PEOPLE_BEFORE_CUSTOMERS = 2

/** Whether customers meet versions in a ring: as it says, else whether it serves devices. */
export const isForCustomers = ({ customers, cohorts }: Pick<RingConfig, 'customers' | 'cohorts'>): boolean =>
  customers ?? cohorts.length > 0

/** How many different people a ring asks to have signed, where it asks for sign-off. */
export const peopleAsked = (ring: Pick<RingConfig, 'gate' | 'customers' | 'cohorts'>): number =>
  ring.gate?.distinctPeople ?? (isForCustomers(ring) ? PEOPLE_BEFORE_CUSTOMERS : 1)
