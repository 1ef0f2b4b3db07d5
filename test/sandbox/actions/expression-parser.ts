/** The expression language of GitHub Actions: text → tree. docs.github.com/actions/reference/workflows-and-actions/expressions */
export type Expression =
  | { readonly kind: 'literal'; readonly value: null | boolean | number | string }
  | { readonly kind: 'context'; readonly name: string }
  | { readonly kind: 'index'; readonly of: Expression; readonly key: Expression }
  | { readonly kind: 'each'; readonly of: Expression }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'binary'; readonly operator: Operator; readonly left: Expression; readonly right: Expression }

export type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=' | '&&' | '||'

type Token =
  | { readonly kind: 'value'; readonly value: number | string }
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'sign'; readonly text: string }
  | { readonly kind: 'end' }

const bindingPower = { '||': 1, '&&': 2, '==': 3, '!=': 3, '<': 4, '<=': 4, '>': 4, '>=': 4 } as const satisfies Record<
  Operator,
  number
>

const keywords: ReadonlyMap<string, null | boolean | number> = new Map<string, null | boolean | number>([
  ['null', null],
  ['true', true],
  ['false', false],
  ['nan', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
])

const tokenPattern =
  /\s+|'(?<text>(?:[^']|'')*)'|(?<number>[-+]?(?:0x[0-9a-fA-F]+|0o[0-7]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))|(?<name>[A-Za-z_][\w-]*)|(?<sign>==|!=|<=|>=|&&|\|\||[!<>()[\].,*])/y

function tokensOf(source: string): Token[] {
  const tokens: Token[] = []
  const pattern = new RegExp(tokenPattern)
  while (pattern.lastIndex < source.length) {
    const start = pattern.lastIndex
    const groups = pattern.exec(source)?.groups
    if (groups === undefined) throw new SyntaxError(`Unexpected symbol at position ${start + 1} of: ${source}`)
    if (groups['text'] !== undefined) tokens.push({ kind: 'value', value: groups['text'].replaceAll("''", "'") })
    else if (groups['number'] !== undefined) tokens.push({ kind: 'value', value: Number(groups['number']) })
    else if (groups['name'] !== undefined) tokens.push({ kind: 'name', text: groups['name'] })
    else if (groups['sign'] !== undefined) tokens.push({ kind: 'sign', text: groups['sign'] })
  }
  tokens.push({ kind: 'end' })
  return tokens
}

/** Reads one expression (without `${{ }}`). Throws SyntaxError with the source in its message. */
export function parseExpression(source: string): Expression {
  const tokens = tokensOf(source)
  let at = 0
  const peek = (): Token => tokens[at] ?? { kind: 'end' }
  const isSign = (text: string): boolean => {
    const token = peek()
    return token.kind === 'sign' && token.text === text
  }
  const accept = (text: string): boolean => {
    if (!isSign(text)) return false
    at += 1
    return true
  }
  const expect = (text: string): void => {
    if (!accept(text)) throw new SyntaxError(`Expected '${text}' in expression: ${source}`)
  }

  const binary = (minimum: number): Expression => {
    let left = unary()
    for (;;) {
      const token = peek()
      if (token.kind !== 'sign' || !(token.text in bindingPower)) return left
      const operator = token.text as Operator
      const power = bindingPower[operator]
      if (power < minimum) return left
      at += 1
      left = { kind: 'binary', operator, left, right: binary(power + 1) }
    }
  }
  const unary = (): Expression => (accept('!') ? { kind: 'not', of: unary() } : postfix(primary()))
  const postfix = (start: Expression): Expression => {
    let tree = start
    for (;;) {
      if (accept('.')) tree = accept('*') ? { kind: 'each', of: tree } : property(tree)
      else if (accept('[')) {
        if (accept('*')) tree = { kind: 'each', of: tree }
        else tree = { kind: 'index', of: tree, key: binary(1) }
        expect(']')
      } else return tree
    }
  }
  const property = (of: Expression): Expression => {
    const token = peek()
    if (token.kind !== 'name') throw new SyntaxError(`Expected a property name after '.' in expression: ${source}`)
    at += 1
    return { kind: 'index', of, key: { kind: 'literal', value: token.text } }
  }
  const primary = (): Expression => {
    const token = peek()
    if (accept('(')) {
      const inner = binary(1)
      expect(')')
      return inner
    }
    at += 1
    if (token.kind === 'value') return { kind: 'literal', value: token.value }
    if (token.kind !== 'name') throw new SyntaxError(`Unexpected end or symbol in expression: ${source}`)
    if (accept('(')) return { kind: 'call', name: token.text.toLowerCase(), args: callArguments() }
    const keyword = keywords.get(token.text.toLowerCase())
    return keyword === undefined ? { kind: 'context', name: token.text } : { kind: 'literal', value: keyword }
  }
  const callArguments = (): Expression[] => {
    const args: Expression[] = []
    if (accept(')')) return args
    do args.push(binary(1))
    while (accept(','))
    expect(')')
    return args
  }

  const tree = binary(1)
  if (peek().kind !== 'end') throw new SyntaxError(`Unexpected text after the expression: ${source}`)
  return tree
}
