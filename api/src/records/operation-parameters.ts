/** Parameters of an operation, from the query of a GET or the Parameters of a POST, as texts by name. What is not known is refused. */
import { nearest } from '../fhir/nearest.ts'
import { fail } from '../fhir/outcome.ts'
import type { OperationCall } from './store.ts'

const presentation = ['_format', '_pretty']

/** Throws parameter-unknown and structure. */
export function parametersOf({ query, body }: Pick<OperationCall, 'query' | 'body'>, known: readonly string[]): URLSearchParams {
  const all = new URLSearchParams([...query].filter(([name]) => !presentation.includes(name)))
  for (const { name, value } of bodyParameters(body)) all.append(name, value)
  for (const name of all.keys()) {
    if (known.includes(name)) continue
    const hint = nearest(name, known) ?? known.join(', ')
    throw fail('parameter-unknown', {
      zh: `这项操作没有参数“${name.slice(0, 64)}”，可用：${hint}。`, en: `This operation has no parameter "${name.slice(0, 64)}". Valid: ${hint}.`,
    }, name.slice(0, 64))
  }
  return all
}

/** The parameters of a body; the resource type must be Parameters. */
export function parameterList(body: unknown): Record<string, unknown>[] {
  if (body === null) return []
  const { resourceType, parameter } = (typeof body === 'object' ? body : {}) as { resourceType?: unknown; parameter?: unknown }
  const list: unknown[] = Array.isArray(parameter) ? parameter : []
  if (resourceType !== 'Parameters' || (parameter !== undefined && !Array.isArray(parameter)) || !list.every((each) => typeof each === 'object' && each !== null)) {
    throw fail('structure', { zh: '这里应是 Parameters 资源。', en: 'A Parameters resource is expected here.' }, 'Parameters')
  }
  return list as Record<string, unknown>[]
}

function bodyParameters(body: unknown): { name: string; value: string }[] {
  return parameterList(body).map((each) => {
    const key = Object.keys(each).find((name) => name.startsWith('value'))
    const value = key === undefined ? undefined : each[key]
    if (typeof each.name !== 'string' || (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')) {
      throw fail('structure', { zh: '每个参数要有 name 和简单的值。', en: 'Every parameter needs a name and a simple value.' }, 'Parameters.parameter')
    }
    return { name: each.name, value: String(value) }
  })
}

export function parameterInvalid(name: string) {
  return fail('parameter-invalid', { zh: `参数 ${name} 的值不正确。`, en: `The value of ${name} is not valid.` }, name)
}
