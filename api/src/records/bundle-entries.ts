/**
 * The entries of a transaction or batch, read and checked as far as that goes without the database. What is wrong names the entry:
 * `Bundle.entry[3].request.url`. Source: FHIR R4 § http.html#transaction, Bundle.entry.request.
 */
import type { Resource } from '@medplum/fhirtypes'
import { isFhirId } from '../fhir/id.ts'
import { fail, type OutcomeError } from '../fhir/outcome.ts'
import { isResourceType, type ResourceType } from '../fhir/resource-types.ts'

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

export interface BundleEntry {
  index: number
  /** `Bundle.entry[3]`. */
  path: string
  method: (typeof methods)[number]
  target: EntryTarget
  /** Null when the entry has none. */
  fullUrl: string | null
  resource: Resource | null
  /** `request.ifMatch` as it is written; null when absent. */
  ifMatch: string | null
  /** Query of a conditional create; null when absent. */
  ifNoneExist: string | null
  /** Of a read: answer 304 when one of them still holds. Null when absent. */
  ifNoneMatch: string | null
  ifModifiedSince: string | null
}

/** What a request url points to; the parts that are not there are null. */
export interface EntryTarget {
  type: ResourceType | null
  id: string | null
  history: boolean
  version: string | null
  /** With its dollar sign. */
  operation: string | null
  /** Type that is searched in the compartment `type/id`, or `*`. */
  member: ResourceType | '*' | null
  /** The address is that of a search by POST. */
  search: boolean
  /** The CapabilityStatement. */
  metadata: boolean
  query: URLSearchParams
}

/** Whether an entry asks something: a read or a search, or an operation, which may also change something. */
export function isQuestion({ method, target }: Pick<BundleEntry, 'method' | 'target'>): boolean {
  return method === 'GET' || method === 'HEAD' || (method === 'POST' && (target.search || target.operation !== null))
}

export const entriesMax = 20_000

/** Entries of a Bundle. Throws structure for what is no Bundle of that type, and the faults of single entries by `entryOf`. */
export function bundleEntries(bundle: Resource): unknown[] {
  const entries: unknown = (bundle as { entry?: unknown }).entry
  if (entries === undefined) return []
  if (!Array.isArray(entries)) throw fail('structure', { zh: 'entry 应是数组。', en: 'entry must be an array.' }, 'Bundle.entry')
  if (entries.length > entriesMax) {
    throw fail('body-too-large', { zh: `一次最多 ${entriesMax} 条。`, en: `A bundle may have ${entriesMax} entries.` }, 'Bundle.entry')
  }
  return entries
}

/** One entry. @param base address of /fhir, for urls that begin with it. */
export function entryOf(value: unknown, index: number, base: string): BundleEntry {
  const path = `Bundle.entry[${index}]`
  const entry = asObject(value, path)
  const request = asObject(entry.request, `${path}.request`)
  const { url } = request
  const method = methods.find((each) => each === request.method)
  if (method === undefined) throw fault('request.method', path, methods.join('、'), methods.join(', '))
  if (typeof url !== 'string' || url === '') throw fault('request.url', path, '相对地址，如 Patient/1', 'an address such as Patient/1')
  const target = parseTarget(/^(?:[/?]|$)/.test(url.slice(base.length)) && url.startsWith(base) ? url.slice(base.length) : url, `${path}.request.url`)
  const resource = entry.resource === undefined || entry.resource === null ? null : asResource(entry.resource, `${path}.resource`)
  const read: BundleEntry = {
    index, path, method, target, resource,
    fullUrl: textOrNull(entry.fullUrl), ifMatch: textOrNull(request.ifMatch), ifNoneExist: textOrNull(request.ifNoneExist),
    ifNoneMatch: textOrNull(request.ifNoneMatch), ifModifiedSince: textOrNull(request.ifModifiedSince),
  }
  // A condition that is empty would be none, and what it guards be written all the same.
  for (const name of ['ifMatch', 'ifNoneExist', 'ifNoneMatch', 'ifModifiedSince'] as const) {
    if (typeof request[name] === 'string' && request[name].trim() === '') throw fail('parameter-invalid', { zh: '条件为空。', en: 'The condition is empty.' }, `${path}.request.${name}`)
  }
  assertFits(read)
  return read
}

/** `Type`, `Type/id`, `Type/id/_history/2`, `Type?query`, `Type/id/$operation`, `$operation`, `Patient/id/Type`, `Type/_search`, `metadata`. */
export function parseTarget(url: string, path: string): EntryTarget {
  const [address, queryText] = splitOnce(url.replace(/^\//, ''), '?')
  const target: EntryTarget = { type: null, id: null, history: false, version: null, operation: null, member: null, search: false, metadata: false, query: new URLSearchParams(queryText) }
  const parts = address.split('/').map((part) => part.replace(/^%24/, '$')).filter((part) => part !== '')
  const last = parts.at(-1)
  if (last?.startsWith('$')) {
    target.operation = last
    parts.pop()
  } else if (last === '_search') {
    target.search = true
    parts.pop()
  } else if (address === 'metadata') {
    target.metadata = true
    return target
  }
  if (parts.length === 3 && parts[2] !== undefined && (parts[2] === '*' || isResourceType(parts[2]))) target.member = parts.pop() as ResourceType | '*'
  // The history of a type or of everything has no id before it.
  if (parts[0] === '_history') parts.unshift('', '')
  else if (parts[1] === '_history') parts.splice(1, 0, '')
  const [type = '', id = '', history, version, ...more] = parts
  if (type !== '') {
    if (!isResourceType(type)) throw fail('type-unknown', { zh: `没有名为“${type.slice(0, 64)}”的资源类型。`, en: `There is no resource type "${type.slice(0, 64)}".` }, path)
    target.type = type
  }
  if (id !== '') {
    if (!isFhirId(id)) throw fail('id-invalid', { zh: `编号“${id.slice(0, 64)}”不正确。`, en: `The id "${id.slice(0, 64)}" is not valid.` }, path)
    target.id = id
  }
  if (more.length > 0 || (version !== undefined && id === '') || (history !== undefined && history !== '_history')) {
    throw fail('bad-request', { zh: `无法识别地址“${url.slice(0, 100)}”。`, en: `The address "${url.slice(0, 100)}" is not understood.` }, path)
  }
  target.history = history !== undefined
  target.version = version ?? null
  return target
}

function assertFits({ method, target, resource, path }: BundleEntry): void {
  const { type, id, query, operation, history, search, member } = target
  if (isQuestion({ method, target }) && !(search && method !== 'POST')) return
  if (operation !== null || type === null || history || search || member !== null) {
    throw fail('bad-request', {
      zh: '事务或批处理中的写入只能针对资源。', en: 'A write in a bundle is of a resource, nothing else.',
    }, `${path}.request.url`)
  }
  if (query.size > 0 && (method === 'POST' || id !== null)) {
    throw fail('bad-request', {
      zh: '这里不能带查询条件；条件创建请用 ifNoneExist。', en: 'No query may stand here; a conditional create has ifNoneExist.',
    }, `${path}.request.url`)
  }
  if (method === 'POST' ? id !== null : id === null && query.size === 0) {
    throw method === 'POST' ? fault('request.url', path, '资源类型，如 Patient', 'a type such as Patient')
      : fault('request.url', path, '类型和编号，如 Patient/1，或条件，如 Patient?identifier=…', 'a type and an id such as Patient/1, or a condition such as Patient?identifier=…')
  }
  if (method === 'DELETE') return
  if (resource === null) throw fail('required', { zh: '缺少资源。', en: 'The resource is missing.' }, `${path}.resource`)
  if (method !== 'PATCH') assertSameTypeAndId(resource, type, method === 'PUT' ? id : null, `${path}.resource`)
}

/** The resource is of the type and has the id that the address says. `id` null: none is asked for. */
export function assertSameTypeAndId(resource: Resource, type: ResourceType, id: string | null, path: string | null): void {
  const at = (element: string): string => (path === null ? element : `${path}.${element}`)
  if (resource.resourceType !== type) {
    throw fail('resource-type-mismatch', {
      zh: `地址说是 ${type}，内容却是 ${resource.resourceType}。`, en: `The address says ${type}, the body is a ${resource.resourceType}.`,
    }, at('resourceType'))
  }
  if (id !== null && resource.id !== id) {
    throw fail('id-mismatch', {
      zh: `地址中的编号是 ${id}，内容中${resource.id === undefined ? '没有编号' : '是另一个'}。`,
      en: `The id in the address is ${id}, the body has ${resource.id === undefined ? 'none' : 'another'}.`,
    }, at('id'))
  }
}

/** Checks that a parsed value is a resource of a known type. `path` is where it stands in the request; null for the whole body. */
export function asResource(value: unknown, path: string | null): Resource {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fail('structure', { zh: '这里应是一个 FHIR 资源（JSON 对象）。', en: 'A FHIR resource (a JSON object) is expected here.' }, path)
  }
  const type = (value as { resourceType?: unknown }).resourceType
  const at = path === null ? 'resourceType' : `${path}.resourceType`
  if (typeof type !== 'string') throw fail('structure', { zh: '缺少 resourceType。', en: 'resourceType is missing.' }, at)
  if (!isResourceType(type)) {
    throw fail('type-unknown', { zh: `没有名为“${type.slice(0, 64)}”的资源类型。`, en: `There is no resource type "${type.slice(0, 64)}".` }, at)
  }
  return value as Resource
}

function asObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw fail('structure', { zh: `${path} 缺失或不是对象。`, en: `${path} is missing or is no object.` }, path)
}

function fault(element: string, path: string, zh: string, en: string): OutcomeError {
  return fail('structure', { zh: `${element} 应是${zh}。`, en: `${element} must be ${en}.` }, `${path}.${element}`)
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
