import type { Configuration, StepConfig } from '../config/schema.ts'
import type { BoardState } from '../deployment/schema.ts'
import type { Actor } from '../event.ts'
import type { ReleaseState } from '../release/schema.ts'

/** One line of a release's checklist as it stands now. */
export interface ChecklistLine {
  readonly id: string
  readonly text: string
  readonly isDone: boolean
  /** Who ticked it; null for the machine and for what is open. */
  readonly by: Actor | null
  readonly at: string | null
  /** What shows it: a person's words or link, or the fact that a machine step rests on. */
  readonly evidence: string | null
  readonly isMachine: boolean
}

type Fact = { readonly isDone: boolean; readonly evidence: string | null }

/** The facts that tick a box by themselves; each names its evidence. */
const MACHINE_STEPS: Record<
  NonNullable<StepConfig['machine']>,
  (
    release: ReleaseState,
    step: StepConfig,
    boards: ReadonlyMap<string, BoardState>,
    configuration: Configuration,
  ) => Fact
> = {
  'versions-recorded': (release) => ({
    isDone: release.items.length > 0,
    evidence: release.items.length > 0 ? `${release.items.length} recorded` : null,
  }),
  'signed-off': (release) => ({
    isDone: release.signoff?.status === 'approved',
    evidence:
      release.signoff?.status === 'approved' ? release.signoff.evidence.map((seat) => seat.login).join(', ') : null,
  }),
  deployed: (release, step, boards, configuration) => {
    const environment = step.environment ?? ''
    const due = release.items.filter((item) => {
      const own = configuration.products.find((product) => product.name === item.product)?.environments
      return own === undefined || own.includes(environment)
    })
    const live = due.filter((item) => isLive(boards.get(item.product), environment, item.version))
    return {
      isDone: due.length > 0 && live.length === due.length,
      evidence: `${live.length} of ${due.length} in ${environment}`,
    }
  },
}

/** Whether a version is the good one of an environment. */
export const isLive = (board: BoardState | undefined, environment: string, version: string): boolean =>
  board?.cells.find((cell) => cell.environment === environment)?.lastGood?.version === version

/** The checklist in its configured order: machine steps by their facts, the others by who ticked them. */
export function checklistOf(
  release: ReleaseState,
  configuration: Configuration,
  boards: ReadonlyMap<string, BoardState>,
): ChecklistLine[] {
  return configuration.checklist.map((step) => withWaiver(release, stepLine(release, step, boards, configuration)))
}

/** A step that is done without counts as done, and says so. */
function withWaiver({ conduct }: ReleaseState, line: ChecklistLine): ChecklistLine {
  const waiver = conduct.waivers.find((entry) => entry.step === line.id)
  if (line.isDone || waiver === undefined) return line
  return { ...line, isDone: true, by: waiver.by, at: waiver.at, evidence: `waived: ${waiver.reason}` }
}

function stepLine(
  release: ReleaseState,
  step: StepConfig,
  boards: ReadonlyMap<string, BoardState>,
  configuration: Configuration,
): ChecklistLine {
  if (step.machine !== undefined) {
    const fact = MACHINE_STEPS[step.machine](release, step, boards, configuration)
    return { id: step.id, text: step.text, ...fact, by: null, at: null, isMachine: true }
  }
  const done = release.steps.find((entry) => entry.id === step.id)
  return {
    id: step.id,
    text: step.text,
    isDone: done !== undefined,
    by: done?.by ?? null,
    at: done?.at ?? null,
    evidence: done?.evidence ?? null,
    isMachine: false,
  }
}
