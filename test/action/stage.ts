import { environmentNameOf, type InputName } from '../../src/action/inputs.ts'
import type { Runner } from '../../src/action/runner.ts'
import type { Shell } from '../../src/action/shell.ts'
import type { Problem } from '../../src/core/problem.ts'

export const SHA = 'a'.repeat(40)
export const API = 'https://ghe.example.org/api/v3'

/** The variables of a run on an Enterprise Server; bent by what a test is about. */
export const RUN: Readonly<Record<string, string>> = {
  GITHUB_API_URL: API,
  GITHUB_SERVER_URL: 'https://ghe.example.org',
  GITHUB_REPOSITORY: 'acme/api',
  GITHUB_SHA: SHA,
  GITHUB_REF: 'refs/heads/main',
  GITHUB_REF_NAME: 'main',
  GITHUB_REF_TYPE: 'branch',
  GITHUB_RUN_ID: '77',
  GITHUB_RUN_ATTEMPT: '2',
  GITHUB_RUN_NUMBER: '15',
  GITHUB_JOB: 'build',
  RINGMASTER_INPUT_GITHUB_TOKEN: 'token-of-the-run',
}

export type Given = Partial<Record<InputName, string>>

export const given = (inputs: Given): Record<string, string> =>
  Object.fromEntries(Object.entries(inputs).map(([name, value]) => [environmentNameOf(name as InputName), value]))

/** A shell whose clock does not really wait; `slept` gathers the milliseconds. */
export function stage(
  inputs: Given,
  bent: Readonly<Record<string, string>> = {},
): Shell & { readonly slept: number[] } {
  const slept: number[] = []
  return {
    environment: { ...RUN, ...given(inputs), ...bent },
    clock: {
      nowMs: () => Date.UTC(2026, 0, 1),
      sleep: async (ms) => {
        slept.push(ms)
      },
    },
    slept,
  }
}

export interface Recorded extends Runner {
  readonly outputs: Map<string, string>
  readonly lines: string[]
  readonly summaries: string[]
  readonly annotations: { readonly level: string; readonly problem: Problem }[]
}

/** A runner that keeps what it is told. */
export function recordingRunner(): Recorded {
  const outputs = new Map<string, string>()
  const lines: string[] = []
  const summaries: string[] = []
  const annotations: { level: string; problem: Problem }[] = []
  return {
    outputs,
    lines,
    summaries,
    annotations,
    setOutput: (name, value) => void outputs.set(name, value),
    say: (line) => void lines.push(line),
    appendSummary: (markdown) => void summaries.push(markdown),
    annotate: (level, problem) => void annotations.push({ level, problem }),
  }
}
