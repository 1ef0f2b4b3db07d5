/** What a step tells the runner on its standard output: `::name key=value,…::message`. */
export interface WorkflowCommand {
  readonly name: string
  readonly properties: ReadonlyMap<string, string>
  readonly message: string
}

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice'
  readonly message: string
  readonly title?: string
  readonly file?: string
  readonly line?: number
}

const unescaped = (text: string): string =>
  text
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%')

/** The command on a line of output, or undefined for ordinary text. */
export function readWorkflowCommand(line: string): WorkflowCommand | undefined {
  const found = /^\s*::(?<name>[\w-]+)(?: (?<properties>[^:]*))?::(?<message>.*)$/s.exec(line)?.groups
  if (found === undefined) return undefined
  const properties = new Map<string, string>()
  for (const pair of (found['properties'] ?? '').split(',')) {
    const equals = pair.indexOf('=')
    if (equals > 0) properties.set(pair.slice(0, equals).trim().toLowerCase(), unescaped(pair.slice(equals + 1)))
  }
  return { name: (found['name'] ?? '').toLowerCase(), properties, message: unescaped(found['message'] ?? '') }
}

const levels = new Map<string, Annotation['level']>([
  ['error', 'error'],
  ['warning', 'warning'],
  ['notice', 'notice'],
])

/** The annotation a command makes, or undefined when it makes none. */
export function annotationOf({ name, properties, message }: WorkflowCommand): Annotation | undefined {
  const level = levels.get(name)
  if (level === undefined) return undefined
  const [title, file, line] = [properties.get('title'), properties.get('file'), properties.get('line')]
  return {
    level,
    message,
    ...(title !== undefined && { title }),
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line: Number(line) }),
  }
}
