import { type Annotation, annotationOf, readWorkflowCommand } from './workflow-command.ts'

/** Bytes of one step's summary; github.com refuses more and says so. */
const maxSummaryBytes = 1024 * 1024

/** What a job tells people: its log, annotations and summary, secrets masked in all of them. */
export interface JobLog {
  /** A line of a step's output; workflow commands in it are obeyed. */
  readonly onLine: (line: string) => void
  readonly write: (line: string) => void
  readonly complain: (message: string) => void
  readonly warn: (message: string) => void
  readonly summarise: (markdown: string) => void
  /** Commands stopped by a step (`stop-commands`) are heard again by the next. */
  readonly endStep: () => void
  readonly lines: () => string
  readonly annotations: () => readonly Annotation[]
  readonly summary: () => string
}

export function createJobLog(secrets: Iterable<string>): JobLog {
  const masks = new Set([...secrets].filter((secret) => secret !== ''))
  const lines: string[] = []
  const annotations: Annotation[] = []
  const summaries: string[] = []
  let resumeToken: string | undefined

  const masked = (text: string): string => {
    let shown = text
    for (const mask of masks) shown = shown.replaceAll(mask, '***')
    return shown
  }
  const write = (line: string): void => {
    lines.push(masked(line))
  }
  const annotate = (annotation: Annotation): void => {
    annotations.push({ ...annotation, message: masked(annotation.message) })
    write(`##[${annotation.level}]${annotation.message}`)
  }
  const complain = (message: string): void => annotate({ level: 'error', message })

  const onLine = (line: string): void => {
    const command = readWorkflowCommand(line)
    const annotation = command === undefined ? undefined : annotationOf(command)
    if (resumeToken !== undefined) {
      if (command?.name === resumeToken) resumeToken = undefined
      write(line)
    } else if (annotation !== undefined) annotate(annotation)
    else if (command?.name === 'add-mask') {
      if (command.message !== '') masks.add(command.message)
    } else if (command?.name === 'stop-commands') resumeToken = command.message.toLowerCase()
    else if (command?.name === 'set-env' || command?.name === 'add-path')
      complain(`The \`${command.name}\` command is disabled.`)
    else write(line)
  }

  const summarise = (markdown: string): void => {
    const bytes = Buffer.byteLength(markdown)
    if (bytes <= maxSummaryBytes) summaries.push(masked(markdown))
    else
      complain(
        `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got ${Math.ceil(bytes / 1024)}k.`,
      )
  }

  return {
    onLine,
    write,
    complain,
    warn: (message) => annotate({ level: 'warning', message }),
    summarise,
    endStep: () => {
      resumeToken = undefined
    },
    lines: () => lines.join('\n'),
    annotations: () => annotations,
    summary: () => summaries.join('\n'),
  }
}
