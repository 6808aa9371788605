/**
 * The expression of `_filter`, read into a tree. `and` and `or` are worked from left to right, neither before the other; brackets say otherwise. A
 * value is a JSON string, or whatever stands up to the next space or `)`. Names, operators and words are as the specification writes them, in small letters.
 * Source: FHIR R4 search_filter.html (grammar).
 */
import { nearest } from '../../fhir/nearest.ts'
import { type Issue, issue } from '../../fhir/outcome.ts'

export type FilterNode =
  | { kind: 'test'; path: string; operator: FilterOperator; value: string }
  | { kind: 'and' | 'or'; parts: FilterNode[] }
  | { kind: 'not'; part: FilterNode }

export const filterOperators = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'lt', 'ge', 'le', 'ap', 'sa', 'eb', 'pr', 'po', 'ss', 'sb', 'in', 'ni', 're'] as const
export type FilterOperator = (typeof filterOperators)[number]

const lengthMax = 10_000
const testsMax = 60
const depthMax = 20

/** Thrown by the reader alone: what is wrong, and at which character. */
class Fault extends Error {
  readonly at: number
  readonly text: { zh: string; en: string }
  constructor(at: number, text: { zh: string; en: string }) {
    super(text.en)
    this.at = at
    this.text = text
  }
}

export function readFilter(text: string): FilterNode | Issue {
  try {
    if (text.length > lengthMax) throw new Fault(lengthMax, { zh: `表达式最长 ${lengthMax} 个字符。`, en: `an expression has ${lengthMax} characters at most.` })
    return new Reader(text).whole()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return issue('parameter-invalid', { zh: `参数 _filter 第 ${error.at + 1} 个字符处不正确：${error.text.zh}`, en: `_filter is not valid at character ${error.at + 1}: ${error.text.en}` }, '_filter')
  }
}

class Reader {
  readonly #text: string
  #at = 0
  #tests = 0
  #depth = 0
  constructor(text: string) {
    this.#text = text
  }

  whole(): FilterNode {
    const node = this.#filter()
    if (this.#rest() !== '') throw this.#fault({ zh: '此处应为 and、or 或表达式的结尾。', en: 'and, or or the end of the expression is expected.' })
    return node
  }

  #filter(): FilterNode {
    if (++this.#depth > depthMax) throw this.#fault({ zh: `括号最多嵌套 ${depthMax} 层。`, en: `brackets nest ${depthMax} levels at most.` })
    let node = this.#part()
    for (;;) {
      const word = this.#take(/(and|or)(?=[\s(])/y)?.[1] as 'and' | 'or' | undefined
      if (word === undefined) break
      const part = this.#part()
      node = node.kind === word ? { kind: word, parts: [...node.parts, part] } : { kind: word, parts: [node, part] }
    }
    this.#depth--
    return node
  }

  #part(): FilterNode {
    if (this.#take(/not(?=\s*\()/y)) return { kind: 'not', part: this.#bracket() }
    return this.#rest().startsWith('(') ? this.#bracket() : this.#test()
  }

  #bracket(): FilterNode {
    this.#take(/\(/y)
    const node = this.#filter()
    if (!this.#take(/\)/y)) throw this.#fault({ zh: '缺少右括号。', en: 'a closing bracket is missing.' })
    // What is in brackets stays together: `(a or b) or c` is the same, `(a or b) and c` is not.
    return node
  }

  #test(): FilterNode {
    if (++this.#tests > testsMax) throw this.#fault({ zh: `最多 ${testsMax} 个比较。`, en: `there may be ${testsMax} comparisons.` })
    const path = this.#take(/[A-Za-z_][\w\-.:]*/y)?.[0]
    if (path === undefined) throw this.#fault({ zh: '此处应为搜索参数的名称。', en: 'the name of a search parameter is expected.' })
    if (this.#rest().startsWith('[')) throw this.#fault({ zh: '不支持方括号，请用 and 连接链式参数。', en: 'square brackets are not offered; join chained parameters with and.' })
    const operator = this.#take(/[a-z]{2}(?=\s)/y)?.[0]
    if (operator === undefined || !(filterOperators as readonly string[]).includes(operator)) throw this.#fault(this.#unknownOperator(operator))
    return { kind: 'test', path, operator: operator as FilterOperator, value: this.#value() }
  }

  #unknownOperator(operator: string | undefined): { zh: string; en: string } {
    if (operator !== undefined) this.#at -= operator.length
    const written = /^\S+/.exec(this.#rest())?.[0] ?? ''
    const hint = nearest(written, filterOperators) ?? 'eq'
    return { zh: `此处应为比较符，如 ${hint}。可用：${filterOperators.join('、')}。`, en: `an operator such as ${hint} is expected. Valid: ${filterOperators.join(', ')}.` }
  }

  #value(): string {
    const start = this.#at
    const quoted = this.#take(/"(?:[^"\\]|\\.)*"/ys)?.[0]
    if (quoted !== undefined) {
      try {
        return JSON.parse(quoted) as string
      } catch {
        this.#at = start
        throw this.#fault({ zh: '引号中的文字应是 JSON 字符串。', en: 'what stands in quotation marks must be a JSON string.' })
      }
    }
    const bare = this.#take(/[^\s)"][^\s)]*/y)?.[0]
    if (bare === undefined) throw this.#fault({ zh: '此处应为一个值，如 2026-11-27 或 "张三"。', en: 'a value such as 2026-11-27 or "Peter" is expected.' })
    return bare
  }

  /** What matches here, behind spaces; nothing is read when it does not. */
  #take(pattern: RegExp): RegExpExecArray | null {
    this.#skip()
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found !== null) this.#at += found[0].length
    return found
  }

  #rest(): string {
    this.#skip()
    return this.#text.slice(this.#at)
  }

  #skip(): void {
    const spaces = /\s*/y
    spaces.lastIndex = this.#at
    this.#at += spaces.exec(this.#text)?.[0].length ?? 0
  }

  #fault(text: { zh: string; en: string }): Fault {
    this.#skip()
    return new Fault(this.#at, text)
  }
}
