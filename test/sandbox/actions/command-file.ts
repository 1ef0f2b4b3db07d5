/**
 * The entries of a file a step wrote (`GITHUB_OUTPUT`, `GITHUB_ENV`, `GITHUB_STATE`), in the order written: `name=value`
 * or `name<<DELIMITER`, lines, `DELIMITER`. Throws with the runner's own words for anything else.
 */
export function entriesOf(content: string): readonly (readonly [name: string, value: string])[] {
  const lines = content.split(/\r?\n/)
  const entries: (readonly [string, string])[] = []
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? ''
    if (line === '') continue
    const equals = line.indexOf('=')
    const heredoc = line.indexOf('<<')
    if (heredoc >= 0 && (equals < 0 || heredoc < equals)) {
      const name = line.slice(0, heredoc)
      const delimiter = line.slice(heredoc + 2)
      if (name === '' || delimiter === '')
        throw new Error(`Invalid format '${line}'. Name must not be empty and delimiter must not be empty`)
      const end = lines.indexOf(delimiter, at + 1)
      if (end < 0) throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`)
      entries.push([name, lines.slice(at + 1, end).join('\n')])
      at = end
    } else if (equals > 0) entries.push([line.slice(0, equals), line.slice(equals + 1)])
    else if (equals === 0) throw new Error(`Invalid format '${line}'. Name must not be empty`)
    else throw new Error(`Invalid format '${line}'`)
  }
  return entries
}
