/**
 * Where in a resource a FHIRPath expression points: the engine says for each node its place, from which the way through the JSON
 * follows, choices and arrays included. Expressions that could run for ever are refused. Source: FHIRPath 2.0; FHIR R4 § fhirpatch.
 */
import { createRequire } from 'node:module'
import { isDangerous } from '../validation/fhirpath-engine.ts'

type Json = Record<string, unknown>
type Engine = typeof import('fhirpath')
type EngineModel = NonNullable<Parameters<Engine['compile']>[1]>

/** Keys and indexes from the resource down to a node; empty for the resource itself. */
export type Way = readonly (string | number)[]

interface Node { fullPropertyName(): string | null }

let loaded: { engine: Engine; model: EngineModel } | null = null

function load(): { engine: Engine; model: EngineModel } {
  const require = createRequire(import.meta.url)
  loaded ??= { engine: require('fhirpath') as Engine, model: require('fhirpath/fhir-context/r4') as EngineModel }
  return loaded
}

/** The nodes of an expression; null when it is no FHIRPath, is refused, or yields something that is no part of the resource. */
export function locate(resource: Json, expression: string): Way[] | null {
  if (isDangerous(expression)) return null
  const { engine, model } = load()
  const nodes: unknown[] = []
  const placed = {
    fn: (inputs: unknown[]) => {
      nodes.push(...inputs)
      return []
    },
    arity: { 0: [] }, internalStructures: true,
  }
  try {
    engine.evaluate(resource, `(${withNarrative(expression)}).placed()`, { resource }, model, { traceFn: () => {}, userInvocationTable: { placed } } as never)
  } catch {
    return null
  }
  const ways = nodes.map((node) => (isNode(node) ? wayOf(resource, node.fullPropertyName() ?? '') : null))
  return ways.every((way) => way !== null) ? ways : null
}

/** `div` is a word of FHIRPath, so that the text of a narrative would have to be written in backquotes; people do not. Strings stay as they are. */
function withNarrative(expression: string): string {
  return expression.replace(/'(?:[^'\\]|\\.)*'|\.div\b/g, (part) => (part === '.div' ? '.`div`' : part))
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'fullPropertyName' in value && typeof value.fullPropertyName === 'function'
}

/** `Patient.name[0].given[1]` → ['name', 0, 'given', 1]; a choice's name becomes the key it has here. */
function wayOf(resource: Json, name: string): Way | null {
  const way: (string | number)[] = []
  let value: unknown = resource
  for (const step of name.split('.').slice(1)) {
    const [, stem, index] = /^([A-Za-z]\w*)(?:\[(\d+)\])?$/.exec(step) ?? []
    if (stem === undefined || typeof value !== 'object' || value === null) return null
    const key = keyIn(value as Json, stem)
    if (key === null) return null
    way.push(key)
    value = (value as Json)[key]
    if (index !== undefined && Array.isArray(value)) {
      way.push(Number(index))
      value = (value as unknown[])[Number(index)]
    }
  }
  return way
}

/** `value` → `valueQuantity` where that is what stands there. A primitive may stand there by its extensions alone. */
export function keyIn(holder: Json, stem: string): string | null {
  if (Object.hasOwn(holder, stem) || Object.hasOwn(holder, `_${stem}`)) return stem
  const found = Object.keys(holder).find((key) => {
    const bare = key.replace(/^_/, '')
    return bare.startsWith(stem) && /^[A-Z]/.test(bare.slice(stem.length))
  })
  return found?.replace(/^_/, '') ?? null
}
