/** How much a change asks for, weakest first. */
export const levels = ['none', 'patch', 'minor', 'major'] as const
export type Level = (typeof levels)[number]

const rankOf: Readonly<Record<Level, number>> = { none: 0, patch: 1, minor: 2, major: 3 }

/** Whether `a` asks for more than `b`. */
export const isAbove = (a: Level, b: Level): boolean => rankOf[a] > rankOf[b]

/** The stronger of two levels. */
export const higherOf = (a: Level, b: Level): Level => (isAbove(a, b) ? a : b)
