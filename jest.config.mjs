/** Nothing may depend on the zone of the machine: times without one are UTC. */
process.env.TZ = 'America/New_York'

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/dist/'],
  reporters: ['default', '<rootDir>/test/reporter/plain.mjs'],
  testTimeout: 30_000,
  maxWorkers: 2,
  /** Starting git from a process of a gigabyte takes many times as long: its pages are copied. */
  workerIdleMemoryLimit: '500MB',
}
