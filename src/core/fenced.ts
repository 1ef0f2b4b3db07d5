/** The text between the first and the last line of a `json` fence, exactly as it stands; null where there is none. */
export function fencedText(text: string | null | undefined): string | null {
  const opening = '```json\n'
  const start = text?.indexOf(opening) ?? -1
  const end = text?.lastIndexOf('\n```') ?? -1
  return text && start >= 0 && end > start ? text.slice(start + opening.length, end) : null
}

/** The value of a `json` fence; null where there is none or it is no JSON. */
export function fencedJson(text: string | null | undefined): unknown {
  try {
    return JSON.parse(fencedText(text) ?? 'null')
  } catch {
    return null
  }
}
