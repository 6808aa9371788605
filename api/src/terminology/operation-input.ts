/**
 * What a terminology operation was asked: from the query of a GET or POST, from a Parameters resource, or from one resource sent
 * as the whole body where the operation takes one. Read strictly: unknown names, wrong types and repetitions are refused.
 * Source: FHIR R4 § Operations (Executing an Operation).
 */
import type { CodeableConcept, Coding } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { nearest } from '../fhir/nearest.ts'
import { fail, type OutcomeError } from '../fhir/outcome.ts'
import type { Db } from '../storage/pool.ts'

/** The part of the record store's `OperationCall` that terminology needs. */
export interface TerminologyCall { db: Db; ctx: Ctx; id: string | null; query: URLSearchParams; body: unknown }

/** `text*` may be repeated. `resource` names the one that may also be the whole body. */
export type Kind = 'text' | 'text*' | 'flag' | 'count' | 'coding' | 'concept' | 'resource'

export interface Input {
  text(name: string): string | null
  texts(name: string): string[]
  flag(name: string): boolean | null
  count(name: string): number | null
  coding(name: string): Coding | null
  concept(name: string): CodeableConcept | null
  resource(name: string): unknown
  has(name: string): boolean
}

interface Given { at: string; value: unknown }

const textMax = 2000
/** Codings of a concept, and times a parameter may be given. */
const listMax = 100
const valueNames: Readonly<Record<Exclude<Kind, 'resource'>, readonly string[]>> = {
  'text': ['valueString', 'valueUri', 'valueCode', 'valueCanonical', 'valueUrl', 'valueId', 'valueOid', 'valueUuid'],
  'text*': ['valueString', 'valueUri', 'valueCode', 'valueCanonical', 'valueUrl', 'valueId', 'valueOid', 'valueUuid'],
  'flag': ['valueBoolean'],
  'count': ['valueInteger', 'valueUnsignedInt', 'valuePositiveInt'],
  'coding': ['valueCoding'],
  'concept': ['valueCodeableConcept'],
}

/** @param whole resource type that the body may be, and the parameter it then stands for. */
export function readInput(call: TerminologyCall, kinds: Readonly<Record<string, Kind>>, whole: { type: string; name: string } | null = null): Input {
  const given = new Map<string, Given[]>()
  const add = (name: string, each: Given) => {
    const kind = kindOf(kinds, name, each.at)
    const others = given.get(name) ?? []
    if (others.length > 0 && (kind !== 'text*' || others.length >= listMax)) throw invalid(name, each.at, kind === 'text*' ? `最多 ${listMax} 次。` : '只能出现一次。', kind === 'text*' ? `${listMax} times at most.` : 'give it once.')
    given.set(name, [...others, each])
  }
  for (const [name, value] of call.query) {
    if (name === '_format' || name === '_pretty') continue
    const at = `http.${name.slice(0, 64)}`
    const kind = kindOf(kinds, name, at)
    // As in a search, a parameter without a value asks nothing: a box that nobody has typed into yet.
    if (value !== '') add(name, { at, value: fromQuery(kind, name, value) })
  }
  for (const [name, each] of bodyParameters(call.body, kinds, whole)) add(name, each)
  return inputOf(given)
}

function inputOf(given: ReadonlyMap<string, readonly Given[]>): Input {
  const one = (name: string): unknown => given.get(name)?.[0]?.value ?? null
  return {
    text: (name) => one(name) as string | null,
    texts: (name) => (given.get(name) ?? []).map((each) => each.value as string),
    flag: (name) => one(name) as boolean | null,
    count: (name) => one(name) as number | null,
    coding: (name) => one(name) as Coding | null,
    concept: (name) => one(name) as CodeableConcept | null,
    resource: (name) => one(name),
    has: (name) => given.has(name),
  }
}

function kindOf(kinds: Readonly<Record<string, Kind>>, name: string, at: string): Kind {
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
  if (kind) return kind
  const hint = nearest(name, Object.keys(kinds))
  const list = Object.keys(kinds).join(', ')
  throw fail('parameter-unknown', {
    zh: `不支持参数 ${name.slice(0, 64)}。${hint ? `您是否想用 ${hint}？` : ''}可用的有：${list}。`,
    en: `The parameter ${name.slice(0, 64)} is not supported. ${hint ? `Did you mean ${hint}? ` : ''}There are: ${list}.`,
  }, at)
}

/** What is said besides of a definition that was named by its id, or sent along, must be true of it. Throws parameter-invalid. */
export function assertAgrees(name: string, said: string | null | undefined, is: string | null | undefined): void {
  if (said === null || said === undefined || said === is) return
  throw invalid(name, null, `与所指的定义不一致，那里是“${is ?? '无'}”。`, `it contradicts the definition that is meant, which has ${is ? `"${is}"` : 'none'}.`)
}

export function invalid(name: string, at: string | null, zh: string, en: string): OutcomeError {
  return fail('parameter-invalid', { zh: `参数 ${name} 不正确：${zh}`, en: `The parameter ${name} is not valid: ${en}` }, at ?? parameterAt(name))
}

export function missing(names: string): OutcomeError {
  return fail('parameter-invalid', { zh: `缺少参数：${names}。`, en: `A parameter is missing: ${names}.` })
}

function parameterAt(name: string): string {
  return `Parameters.parameter.where(name='${name}')`
}

function fromQuery(kind: Kind, name: string, text: string): unknown {
  const at = `http.${name}`
  switch (kind) {
    case 'text':
    case 'text*': return checkedText(text, name, at)
    case 'flag':
      if (text === 'true' || text === 'false') return text === 'true'
      throw invalid(name, at, '应为 true 或 false。', 'it must be true or false.')
    case 'count': return checkedCount(/^\d{1,9}$/.test(text) ? Number(text) : null, name, at)
    default: throw invalid(name, at, '只能在 POST 的 Parameters 资源中提交。', 'send it in a Parameters resource by POST.')
  }
}

function* bodyParameters(body: unknown, kinds: Readonly<Record<string, Kind>>, whole: { type: string; name: string } | null): Generator<[string, Given]> {
  if (body === null || body === undefined) return
  const { resourceType, parameter = [] } = body as { resourceType?: unknown; parameter?: unknown }
  if (whole !== null && resourceType === whole.type) {
    yield [whole.name, { at: whole.type, value: body }]
    return
  }
  if (resourceType !== 'Parameters') {
    throw fail('resource-type-mismatch', { zh: `请以 Parameters${whole ? ` 或 ${whole.type}` : ''} 资源提交。`, en: `Send a Parameters${whole ? ` or ${whole.type}` : ''} resource.` })
  }
  if (!Array.isArray(parameter)) throw fail('structure', { zh: '参数格式不正确。', en: 'The parameters are not well formed.' }, 'Parameters.parameter')
  for (const each of parameter as unknown[]) {
    const part = (typeof each === 'object' && each !== null ? each : {}) as Record<string, unknown>
    if (typeof part.name !== 'string') throw fail('structure', { zh: '每个参数都要有 name。', en: 'Every parameter needs a name.' }, 'Parameters.parameter.name')
    const at = parameterAt(part.name.slice(0, 64))
    yield [part.name, { at, value: fromPart(kindOf(kinds, part.name, at), part.name, part, at) }]
  }
}

function fromPart(kind: Kind, name: string, part: Record<string, unknown>, at: string): unknown {
  if (kind === 'resource') {
    if (isObject(part.resource)) return part.resource
    throw invalid(name, at, '应以 resource 提交。', 'it must hold a resource.')
  }
  const values = Object.keys(part).filter((each) => each.startsWith('value'))
  const value = values.length === 1 ? values[0] as string : ''
  if (!valueNames[kind].includes(value)) throw invalid(name, at, `应有一个 ${valueNames[kind][0]}。`, `it must hold one ${valueNames[kind][0]}.`)
  return checked(kind, part[value], name, at)
}

function checked(kind: Kind, value: unknown, name: string, at: string): unknown {
  switch (kind) {
    case 'flag':
      if (typeof value === 'boolean') return value
      throw invalid(name, at, '应为 true 或 false。', 'it must be true or false.')
    case 'count': return checkedCount(typeof value === 'number' ? value : null, name, at)
    case 'coding':
      if (isCoding(value)) return value
      throw invalid(name, at, '应为 Coding。', 'it must be a Coding.')
    case 'concept':
      if (isObject(value) && (value.coding === undefined || (Array.isArray(value.coding) && value.coding.length <= listMax && value.coding.every(isCoding)))) return value
      throw invalid(name, at, `应为 CodeableConcept，最多 ${listMax} 个编码。`, `it must be a CodeableConcept of up to ${listMax} codings.`)
    default: return checkedText(value, name, at)
  }
}

function checkedText(value: unknown, name: string, at: string): string {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= textMax) return value
  throw invalid(name, at, `应为不超过 ${textMax} 字的文字。`, `it must be text of up to ${textMax} characters.`)
}

function checkedCount(value: number | null, name: string, at: string): number {
  if (value !== null && Number.isInteger(value) && value >= 0) return value
  throw invalid(name, at, '应为不小于 0 的整数。', 'it must be a whole number that is not negative.')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCoding(value: unknown): value is Coding {
  if (!isObject(value)) return false
  return ['system', 'version', 'code', 'display'].every((name) => value[name] === undefined || (typeof value[name] === 'string' && value[name] !== '' && value[name].length <= textMax))
}
