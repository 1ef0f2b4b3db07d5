import { type Expression, type Operator, parseExpression } from './expression-parser.ts'

/** What an expression may yield. Mappings are Maps, because their keys are outside text. */
export type Value = null | boolean | number | string | readonly Value[] | ReadonlyMap<string, Value>

/** What an expression may look at. A status is what `success()` and its like ask about. */
export interface Scope {
  readonly contexts: ReadonlyMap<string, Value>
  readonly status: 'success' | 'failure' | 'cancelled' | 'skipped'
}

/** JSON-like data as an expression value; members that are undefined are left out. */
export function toValue(data: unknown): Value {
  if (data === null || data === undefined) return null
  if (typeof data === 'boolean' || typeof data === 'number' || typeof data === 'string') return data
  if (Array.isArray(data)) return data.map(toValue)
  const entries = data instanceof Map ? [...data] : Object.entries(data as object)
  return new Map(entries.filter(([, member]) => member !== undefined).map(([key, member]) => [key, toValue(member)]))
}

const isMap = (value: Value): value is ReadonlyMap<string, Value> => value instanceof Map
const isList = (value: Value): value is readonly Value[] => Array.isArray(value)

/** GitHub's own conversion: null is empty, collections are named, not shown. */
export function toText(value: Value): string {
  if (value === null) return ''
  if (isList(value)) return 'Array'
  if (isMap(value)) return 'Object'
  return Object.is(value, -0) ? '0' : String(value)
}

export const isTruthy = (value: Value): boolean =>
  !(value === null || value === false || value === 0 || value === '' || Number.isNaN(value))

function toNumber(value: Value): number {
  if (value === null) return 0
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') return value
  if (typeof value === 'string') return value.trim() === '' ? 0 : Number(value)
  return Number.NaN
}

/** Texts compare without regard to case; unlike kinds compare as numbers; collections only with themselves. */
function comparison(left: Value, right: Value): { readonly equal: boolean; readonly less: boolean } {
  if (typeof left === 'string' && typeof right === 'string') {
    const [a, b] = [left.toUpperCase(), right.toUpperCase()]
    return { equal: a === b, less: a < b }
  }
  const collections = [left, right].some((value) => isList(value) || isMap(value))
  if (collections || (left === null && right === null)) return { equal: left === right, less: false }
  return { equal: toNumber(left) === toNumber(right), less: toNumber(left) < toNumber(right) }
}

const comparators = {
  '==': (left, right) => comparison(left, right).equal,
  '!=': (left, right) => !comparison(left, right).equal,
  '<': (left, right) => comparison(left, right).less,
  '>': (left, right) => comparison(right, left).less,
  '<=': (left, right) => comparison(left, right).less || comparison(left, right).equal,
  '>=': (left, right) => comparison(right, left).less || comparison(left, right).equal,
} as const satisfies Record<Exclude<Operator, '&&' | '||'>, (left: Value, right: Value) => boolean>

function member(of: Value, key: Value): Value {
  if (isList(of)) return typeof key === 'number' ? (of[key] ?? null) : null
  if (!isMap(of)) return null
  const wanted = toText(key)
  const exact = of.get(wanted)
  if (exact !== undefined) return exact
  for (const [name, value] of of) if (name.toUpperCase() === wanted.toUpperCase()) return value
  return null
}

const plain = (value: Value): unknown =>
  isMap(value)
    ? Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]))
    : isList(value)
      ? value.map(plain)
      : value

function formatted(template: string, args: readonly Value[]): string {
  return template.replace(/\{\{|\}\}|\{(\d+)\}/g, (found, index: string | undefined) => {
    if (index === undefined) return found.charAt(0)
    const value = args[Number(index)]
    if (value === undefined) throw new SyntaxError(`format() has no argument {${index}}: ${template}`)
    return toText(value)
  })
}

type Call = (args: readonly Value[], scope: Scope) => Value
const text = (args: readonly Value[], index: number): string => toText(args[index] ?? null).toUpperCase()

const functions: ReadonlyMap<string, { readonly min: number; readonly max: number; readonly call: Call }> = new Map(
  Object.entries({
    contains: {
      min: 2,
      max: 2,
      call: ([within = null, item = null]) =>
        isList(within)
          ? within.some((one) => comparison(one, item).equal)
          : toText(within).toUpperCase().includes(toText(item).toUpperCase()),
    },
    startswith: { min: 2, max: 2, call: (args) => text(args, 0).startsWith(text(args, 1)) },
    endswith: { min: 2, max: 2, call: (args) => text(args, 0).endsWith(text(args, 1)) },
    format: { min: 1, max: 255, call: ([template = null, ...args]) => formatted(toText(template), args) },
    join: {
      min: 1,
      max: 2,
      call: ([list = null, separator = ',']) =>
        isList(list) ? list.map(toText).join(toText(separator)) : toText(list),
    },
    tojson: { min: 1, max: 1, call: ([value = null]) => JSON.stringify(plain(value), null, 2) },
    fromjson: { min: 1, max: 1, call: ([source = null]) => toValue(JSON.parse(toText(source))) },
    success: { min: 0, max: 0, call: (_, scope) => scope.status === 'success' },
    failure: { min: 0, max: 0, call: (_, scope) => scope.status === 'failure' },
    cancelled: { min: 0, max: 0, call: (_, scope) => scope.status === 'cancelled' },
    always: { min: 0, max: 0, call: () => true },
  } satisfies Record<string, { min: number; max: number; call: Call }>),
)

function resultOf(tree: Expression, scope: Scope): Value {
  switch (tree.kind) {
    case 'literal':
      return tree.value
    case 'context': {
      const value = scope.contexts.get(tree.name.toLowerCase())
      if (value === undefined) throw new SyntaxError(`Unrecognized named-value: '${tree.name}'`)
      return value
    }
    case 'index': {
      const [of, key] = [resultOf(tree.of, scope), resultOf(tree.key, scope)]
      if (!isFiltered(tree.of) || !isList(of)) return member(of, key)
      return of.map((one) => member(one, key)).filter((found) => found !== null)
    }
    case 'each': {
      const collection = resultOf(tree.of, scope)
      return isList(collection) ? collection : isMap(collection) ? [...collection.values()] : []
    }
    case 'not':
      return !isTruthy(resultOf(tree.of, scope))
    case 'call': {
      const known = functions.get(tree.name)
      if (known === undefined) throw new SyntaxError(`Unrecognized function: '${tree.name}'`)
      if (tree.args.length < known.min || tree.args.length > known.max)
        throw new SyntaxError(`Wrong number of arguments to ${tree.name}(): ${tree.args.length}`)
      return known.call(
        tree.args.map((arg) => resultOf(arg, scope)),
        scope,
      )
    }
    case 'binary': {
      const left = resultOf(tree.left, scope)
      if (tree.operator === '&&') return isTruthy(left) ? resultOf(tree.right, scope) : left
      if (tree.operator === '||') return isTruthy(left) ? left : resultOf(tree.right, scope)
      return comparators[tree.operator](left, resultOf(tree.right, scope))
    }
  }
}

/** After `.*`, what follows applies to every element. */
const isFiltered = (tree: Expression): boolean => tree.kind === 'each' || (tree.kind === 'index' && isFiltered(tree.of))

/** The value of one expression without its `${{ }}`. Throws SyntaxError for what GitHub refuses to load. */
export const evaluate = (source: string, scope: Scope): Value => resultOf(parseExpression(source), scope)

type Piece = { readonly text: string } | { readonly expression: string }

/** Splits `a ${{ b }} c`; the closing braces are not looked for inside quoted text. */
function piecesOf(template: string): Piece[] {
  const pieces: Piece[] = []
  let rest = 0
  for (let open = template.indexOf('${{'); open >= 0; open = template.indexOf('${{', rest)) {
    if (open > rest) pieces.push({ text: template.slice(rest, open) })
    const close = closingBraces(template, open + 3)
    pieces.push({ expression: template.slice(open + 3, close) })
    rest = close + 2
  }
  if (rest < template.length) pieces.push({ text: template.slice(rest) })
  return pieces
}

function closingBraces(template: string, from: number): number {
  let isQuoted = false
  for (let at = from; at < template.length; at += 1) {
    if (template[at] === "'") isQuoted = !isQuoted
    else if (!isQuoted && template.startsWith('}}', at)) return at
  }
  throw new SyntaxError(`The expression is not closed: ${template.slice(from - 3, from + 77)}`)
}

/** The value of a scalar that may hold `${{ }}`: a lone expression keeps its kind, anything else becomes text. */
export function interpolate(template: string, scope: Scope): Value {
  const pieces = piecesOf(template)
  const only = pieces[0]
  if (pieces.length === 1 && only !== undefined && 'expression' in only) return evaluate(only.expression, scope)
  return pieces.map((piece) => ('text' in piece ? piece.text : toText(evaluate(piece.expression, scope)))).join('')
}

const statusFunctions = new Set(['success', 'failure', 'cancelled', 'always'])

function asksForStatus(tree: Expression): boolean {
  switch (tree.kind) {
    case 'literal':
    case 'context':
      return false
    case 'call':
      return statusFunctions.has(tree.name) || tree.args.some(asksForStatus)
    case 'index':
      return asksForStatus(tree.of) || asksForStatus(tree.key)
    case 'each':
    case 'not':
      return asksForStatus(tree.of)
    case 'binary':
      return asksForStatus(tree.left) || asksForStatus(tree.right)
  }
}

/**
 * Whether a step or job with this `if:` runs. Without a status function, `success() && (…)` is meant. Text around
 * `${{ }}` makes the whole a non-empty text, hence true: GitHub's own trap, kept.
 */
export function isConditionMet(condition: string | undefined, scope: Scope): boolean {
  const source = condition?.trim() ?? ''
  if (source === '') return scope.status === 'success'
  const pieces = source.includes('${{') ? piecesOf(source) : [{ expression: source }]
  const asks = pieces.some((piece) => 'expression' in piece && asksForStatus(parseExpression(piece.expression)))
  if (!asks && scope.status !== 'success') return false
  return isTruthy(source.includes('${{') ? interpolate(source, scope) : evaluate(source, scope))
}
