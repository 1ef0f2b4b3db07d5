import type { Enrolled } from '../core/cohort/roster.ts'

/** Everybody enrolled in a cohort up to an epoch. */
export interface Roster {
  readonly epoch: number
  /** In the order of their pseudonyms. */
  readonly entries: readonly Enrolled[]
}

/** A device to be enrolled; the store gives it its epoch. */
export type Enrolling = Omit<Enrolled, 'epoch'>

/**
 * Who is enrolled: pseudonyms with their tags and epochs, up to a million in a cohort. Outside git, and never published.
 * An epoch is closed when a publication has counted it: who enrols afterwards gets a later one, so that nobody slips under
 * a threshold that was set for others.
 */
export interface RosterStore {
  /** For messages, such as `the directory roster/`. */
  readonly name: string
  /** The roster up to an epoch; null for a cohort that keeps none. Throws what the outside refuses. */
  read(cohort: string, upTo: number): Promise<Roster | null>
  /** Closes the epoch that is open and answers it; null for a cohort that keeps no roster. */
  close(cohort: string): Promise<number | null>
  /**
   * Adds devices, or replaces the tags of one that is enrolled already: it keeps its epoch. Answers each with its epoch, in
   * the order asked; begins the roster of a cohort that has none.
   */
  enrol(cohort: string, devices: readonly Enrolling[]): Promise<readonly Enrolled[]>
}
