/**
 * Reads the FHIRPath subset of search parameters into a tree; see search-expression.ts for what the subset is.
 * Grammar, loosest first: `or`, `and`, `=`/`!=`, `|`, `is`/`as`, then names with `.step`, `[n]` and calls.
 */

export type Expression =
  | { kind: 'name'; name: string }
  | { kind: 'member'; of: Expression; name: string }
  | { kind: 'index'; of: Expression; index: number }
  | { kind: 'type'; of: Expression; type: string }
  | { kind: 'where'; of: Expression; condition: Expression }
  | { kind: 'extension'; of: Expression; url: string }
  | { kind: 'exists'; of: Expression }
  /** `resolve() is T` about the reference at hand. */
  | { kind: 'resolves'; type: string }
  | { kind: 'compare'; left: Expression; literal: string | number | boolean; equal: boolean }
  | { kind: 'and' | 'or'; left: Expression; right: Expression }
  | { kind: 'union'; branches: Expression[] }
  | { kind: 'resolve' }

const token = /\s*(?:('(?:[^'\\]|\\.)*')|(\d+(?:\.\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|(!=|[().,|[\]=]))/y

export function parseExpression(text: string): Expression {
  const tokens: string[] = []
  token.lastIndex = 0
  while (token.lastIndex < text.trimEnd().length) {
    const match = token.exec(text)
    if (!match) throw new Error(`A search expression cannot be read: ${text}`)
    tokens.push((match[1] ?? match[2] ?? match[3] ?? match[4]) as string)
  }
  const reader = new Reader(tokens, text)
  const result = reader.or()
  reader.end()
  return result
}

class Reader {
  private readonly tokens: readonly string[]
  private readonly text: string
  private at = 0

  constructor(tokens: readonly string[], text: string) {
    this.tokens = tokens
    this.text = text
  }

  or(): Expression {
    let left = this.and()
    while (this.take('or')) left = { kind: 'or', left, right: this.and() }
    return left
  }

  private and(): Expression {
    let left = this.comparison()
    while (this.take('and')) left = { kind: 'and', left, right: this.comparison() }
    return left
  }

  private comparison(): Expression {
    const left = this.union()
    if (this.take('=')) return { kind: 'compare', left, literal: this.literal(), equal: true }
    if (this.take('!=')) return { kind: 'compare', left, literal: this.literal(), equal: false }
    return left
  }

  private union(): Expression {
    const branches = [this.typed()]
    while (this.take('|')) branches.push(this.typed())
    return branches.length === 1 ? branches[0] as Expression : { kind: 'union', branches }
  }

  private typed(): Expression {
    const of = this.path()
    if (this.take('as')) return { kind: 'type', of, type: this.name() }
    if (!this.take('is')) return of
    if (of.kind !== 'resolve') return this.fail()
    return { kind: 'resolves', type: this.name() }
  }

  private path(): Expression {
    let result = this.start()
    for (;;) {
      if (this.take('.')) result = this.step(result)
      else if (this.take('[')) {
        result = { kind: 'index', of: result, index: Number(this.next()) }
        this.expect(']')
      } else return result
    }
  }

  private start(): Expression {
    if (this.take('(')) {
      const inner = this.or()
      this.expect(')')
      return inner
    }
    const name = this.name()
    if (name !== 'resolve') return { kind: 'name', name }
    this.expect('(')
    this.expect(')')
    return { kind: 'resolve' }
  }

  private step(of: Expression): Expression {
    const name = this.name()
    if (!this.take('(')) return { kind: 'member', of, name }
    const call = this.call(name, of)
    this.expect(')')
    return call
  }

  private call(name: string, of: Expression): Expression {
    switch (name) {
      case 'where': return { kind: 'where', of, condition: this.or() }
      case 'ofType': case 'as': return { kind: 'type', of, type: this.name() }
      case 'extension': return { kind: 'extension', of, url: String(this.literal()) }
      case 'exists': return { kind: 'exists', of }
      default: return this.fail()
    }
  }

  private literal(): string | number | boolean {
    const next = this.next()
    if (next.startsWith("'")) return next.slice(1, -1).replace(/\\(.)/g, '$1')
    if (next === 'true' || next === 'false') return next === 'true'
    return /^\d/.test(next) ? Number(next) : this.fail()
  }

  private name(): string {
    const next = this.next()
    return /^[A-Za-z_]/.test(next) ? next : this.fail()
  }

  private next(): string {
    return this.tokens[this.at++] ?? this.fail()
  }

  private take(expected: string): boolean {
    if (this.tokens[this.at] !== expected) return false
    this.at++
    return true
  }

  private expect(expected: string): void {
    if (!this.take(expected)) this.fail()
  }

  end(): void {
    if (this.at < this.tokens.length) this.fail()
  }

  private fail(): never {
    throw new Error(`A search expression cannot be read: ${this.text}`)
  }
}
