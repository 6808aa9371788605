/**
 * The Parameters that booking's operations take, read strictly: an unknown or repeated name is refused, a reference must name
 * the expected type. Source: FHIR R4 Parameters; names in docs/booking.md.
 */
import type { ParametersParameter } from '@medplum/fhirtypes'
import { fail, type OutcomeError } from '../fhir/outcome.ts'
import { parseReference } from '../fhir/references.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import { hasControls } from './search-input.ts'

export type Input = ReadonlyMap<string, ParametersParameter>

const textMax = 500

/** @throws OutcomeError `resource-type-mismatch`, `structure`, `element-unknown`. A missing body is an empty input. */
export function readInput(body: unknown, known: readonly string[]): Input {
  if (body === null || body === undefined) return new Map()
  const { resourceType, parameter = [] } = body as { resourceType?: unknown; parameter?: unknown }
  if (resourceType !== 'Parameters') {
    throw fail('resource-type-mismatch', { zh: '请以 Parameters 资源提交。', en: 'Send a Parameters resource.' })
  }
  if (!Array.isArray(parameter)) throw structure('Parameters.parameter')
  const input = new Map<string, ParametersParameter>()
  for (const each of parameter as unknown[]) {
    const name = typeof each === 'object' && each !== null ? (each as { name?: unknown }).name : undefined
    if (typeof name !== 'string') throw structure('Parameters.parameter.name')
    if (!known.includes(name)) {
      throw fail('element-unknown', { zh: `不支持参数 ${name}。可用的有：${known.join('、')}。`, en: `The parameter ${name} is not known here. There are: ${known.join(', ')}.` }, at(name))
    }
    if (input.has(name)) throw fail('cardinality', { zh: `参数 ${name} 只能出现一次。`, en: `Give ${name} once.` }, at(name))
    input.set(name, each as ParametersParameter)
  }
  return input
}

function structure(expression: string): OutcomeError {
  return fail('structure', { zh: '参数格式不正确。', en: 'The parameters are not well formed.' }, expression)
}

/** FHIRPath of a named parameter, for issues. */
export function at(name: string): string {
  return `Parameters.parameter.where(name='${name}')`
}

/** Id of a referenced resource; null when the parameter is absent. @throws OutcomeError `reference-invalid`. */
export function referencedId(input: Input, name: string, type: ResourceType): string | null {
  const given = input.get(name)
  if (given === undefined) return null
  const reference: unknown = given.valueReference?.reference
  const parsed = typeof reference === 'string' ? parseReference(reference) : null
  if (parsed?.kind === 'local' && parsed.type === type) return parsed.id
  throw fail('reference-invalid', { zh: `参数 ${name} 应为指向 ${type} 的引用。`, en: `${name} must be a reference to a ${type}.` }, at(name))
}

export function requiredId(input: Input, name: string, type: ResourceType): string {
  const id = referencedId(input, name, type)
  if (id === null) throw fail('required', { zh: `缺少参数 ${name}。`, en: `The parameter ${name} is missing.` }, at(name))
  return id
}

/** Free text; null when absent or blank. @throws OutcomeError `value-invalid`. */
export function freeText(input: Input, name: string): string | null {
  const given = input.get(name)
  if (given === undefined) return null
  const value: unknown = given.valueString ?? given.valueCodeableConcept?.text
  if (typeof value !== 'string' || value.length > textMax || hasControls(value)) {
    throw fail('value-invalid', { zh: `参数 ${name} 应为不超过 ${textMax} 字的文字。`, en: `${name} must be text of up to ${textMax} characters.` }, at(name))
  }
  return value.trim() === '' ? null : value.trim()
}

/** One of a closed list of codes; null when absent. @throws OutcomeError `value-invalid` naming the list. */
export function codeAmong<T extends string>(input: Input, name: string, allowed: readonly T[]): T | null {
  const given = input.get(name)
  if (given === undefined) return null
  const value: unknown = given.valueCode ?? given.valueString
  if ((allowed as readonly unknown[]).includes(value)) return value as T
  throw fail('value-invalid', { zh: `参数 ${name} 应为 ${allowed.join('、')} 之一。`, en: `${name} must be one of ${allowed.join(', ')}.` }, at(name))
}
