/**
 * FHIRPath for invariants that have no function of their own and for expressions that users write in profiles. The engine is
 * HL7's reference implementation; it is loaded at the first expression and each expression is compiled once.
 * An expression is kept when it says true. One that says nothing is not kept; one that cannot be run is not held against the data.
 * Expressions of users are bounded in length, and those that could take exponential time are refused.
 */
import { createRequire } from 'node:module'

type Json = Record<string, unknown>
type Engine = typeof import('fhirpath')
type EngineModel = NonNullable<Parameters<Engine['compile']>[1]>

/** What `%resource`, `%rootResource` and, where an extension is judged, `%extension` mean. */
export interface Surroundings { resource: Json; rootResource: Json; extension?: Json }

/** True when kept, false when broken, null when it says nothing, undefined when it cannot be run. */
export type Verdict = boolean | null | undefined
export type Evaluate = (value: unknown, surroundings: Surroundings) => Verdict

export function isKept(verdict: Verdict): boolean {
  return verdict === true || verdict === undefined
}

let loaded: { engine: Engine; model: EngineModel } | null = null

function load(): { engine: Engine; model: EngineModel } {
  if (loaded) return loaded
  const require = createRequire(import.meta.url)
  loaded = { engine: require('fhirpath') as Engine, model: require('fhirpath/fhir-context/r4') as EngineModel }
  return loaded
}

const compiledMax = 2000
const compiled = new Map<string, Evaluate>()

/** `type` is that of the value: a data type or the path of an element; null for a resource, which says its own. */
export function evaluator(expression: string, type: string | null): Evaluate {
  const name = `${type ?? ''} ${expression}`
  const known = compiled.get(name)
  if (known) return known
  const made = compileOne(expression, type)
  // Users' profiles come and go; what is dropped is compiled again when it is asked for.
  if (compiled.size >= compiledMax) compiled.clear()
  compiled.set(name, made)
  return made
}

function compileOne(expression: string, type: string | null): Evaluate {
  try {
    const { engine, model } = load()
    const run = engine.compile(type === null ? expression : { base: type, expression }, model, { traceFn: () => {} })
    return (value, surroundings) => {
      try {
        return verdict(run(value, { ...surroundings }))
      } catch {
        return undefined
      }
    }
  } catch {
    return () => undefined
  }
}

function verdict(result: unknown): Verdict {
  if (!Array.isArray(result) || result.length === 0) return null
  return result.length === 1 && typeof result[0] === 'boolean' ? result[0] : true
}

const lengthMax = 4000

/** Whether an expression of a user may run for ever: too long, `repeat(…)`, or a pattern that repeats a repeat or a choice. */
export function isDangerous(expression: string): boolean {
  if (expression.length > lengthMax || /\brepeat\s*\(/.test(expression)) return true
  return (expression.match(/'(?:[^'\\]|\\.)*'/gs) ?? []).some(repeatsARepeat)
}

function repeatsARepeat(pattern: string): boolean {
  const open: boolean[] = []
  const text = pattern.replace(/\\\\?./gs, 'a').replace(/\[[^\]]*\]/g, 'a')
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') open.push(false)
    else if (text[at] === ')') {
      const varies = open.pop() ?? false
      if (varies && /[+*{]/.test(text[at + 1] ?? '')) return true
      if (varies && open.length > 0) open[open.length - 1] = true
    } else if (/[+*{|]/.test(text[at] as string) && open.length > 0) open[open.length - 1] = true
  }
  return false
}
