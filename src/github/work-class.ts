import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * What requests are for, the most urgent first: answers that people wait for, jobs that wait at a gate, the log itself,
 * facts for decisions, and everything that may take its time (sweeps, boards, deliveries read again).
 */
export const WORK_CLASSES = ['answer', 'gate', 'append', 'read', 'bulk'] as const
export type WorkClass = (typeof WORK_CLASSES)[number]

const current = new AsyncLocalStorage<WorkClass>()

/** Runs work whose requests all belong to a class, however deep they are made. The innermost class counts. */
export const inClass = <T>(workClass: WorkClass, work: () => T): T => current.run(workClass, work)

/** The class of the work that is running, or undefined when none was named. */
export const currentClass = (): WorkClass | undefined => current.getStore()
