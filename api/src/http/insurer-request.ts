/** What all routes of an insurance centre share: reading a request, asking for a scope, answering with a resource. */
import type { Parameters, ParametersParameter, Resource } from '@medplum/fhirtypes'
import type { Context } from 'hono'
import { type Permission, scopeGrants } from '../access/scopes.ts'
import { contentDigest } from '../crypto.ts'
import { messageIdSystem } from '../fhir/claim-message.ts'
import { parseJson } from '../fhir/json.ts'
import { fail, forbidden, notFound } from '../fhir/outcome.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import { utf8 } from '../fhir/utf8.ts'
import type { InsurerDb } from '../storage/pool.ts'
import type { Centre } from '../insurer/centre.ts'
import type { AppEnv } from './auth.ts'
import { decoded, readBytes } from './body.ts'

/** What the routes of a centre work with. */
export interface CentreRoutes {
  db: InsurerDb
  centre: Centre
  /** Base of FHIR addresses. */
  base: string
  count(use: string, outcome: string): void
}

/** @throws OutcomeError `sign-in-required` or `forbidden`. */
export function assertScope(c: Context<AppEnv>, type: ResourceType, permission: Permission): void {
  const { principal } = c.get('ctx')
  if (principal.kind === 'anonymous') throw fail('sign-in-required', { zh: '请提供访问令牌。', en: 'An access token is needed.' })
  if (!scopeGrants(principal.scopes, type, permission)) throw forbidden()
}

/** What a body has at most; only the list of a day is larger, and streams. */
export const bodyBytesMax = 2 * 1024 * 1024

/** @throws OutcomeError `media-type-unsupported`, `body-too-large`, `json-broken`, `resource-type-mismatch`. */
export async function readResource<T extends Resource>(c: Context<AppEnv>, type: T['resourceType']): Promise<T> {
  if (!/^application\/(fhir\+)?json\b/i.test(c.req.header('Content-Type') ?? '')) {
    throw fail('media-type-unsupported', { zh: '请以 application/fhir+json 提交。', en: 'Send the body as application/fhir+json.' })
  }
  const bytes = await readBytes(c, bodyBytesMax)
  const digest = c.req.header('Content-Digest')
  if (digest !== undefined && digest !== contentDigest(bytes)) throw fail('bad-request', { zh: '内容与其摘要 Content-Digest 不符，报文在途中被改动。', en: 'The body does not fit its Content-Digest: it was changed on the way.' }, 'http.Content-Digest')
  const body = parseJson(decoded(bytes)) as { resourceType?: unknown } | null
  if (typeof body !== 'object' || body?.resourceType !== type) throw fail('resource-type-mismatch', { zh: `内容须为 ${type}。`, en: `The body must be a ${type}.` })
  return body as T
}

/** These searches take one parameter, `system|value`. @throws OutcomeError `parameter-unknown`, `parameter-invalid`. */
export function identifierOf(query: Record<string, string[]>, names: readonly string[]): { system: string; value: string } {
  const unknown = Object.keys(query).find((each) => !names.includes(each))
  if (unknown !== undefined) throw fail('parameter-unknown', { zh: `不支持查询参数 ${unknown}，请用 ${names.join('、')}。`, en: `Search parameter ${unknown} is not supported. Use ${names.join(' or ')}.` })
  const given = Object.values(query).flat()
  const [, system = '', value = ''] = /^([^|]+)\|([^|]+)$/.exec(given.length === 1 ? given[0] ?? '' : '') ?? []
  if (system === '') throw fail('parameter-invalid', { zh: `${names.join('、')} 须为一个“系统|值”。`, en: `${names.join(' or ')} must be given once as system|value.` })
  return { system, value }
}

export function messageIdOf(c: Context<AppEnv>, name: string): string {
  const { system, value } = identifierOf(c.req.queries(), [name])
  if (system !== messageIdSystem) throw fail('parameter-invalid', { zh: `${name} 的系统须为 ${messageIdSystem}。`, en: `The system of ${name} must be ${messageIdSystem}.` })
  return value
}

export function selfOf(c: Context): string {
  const { pathname, search } = new URL(c.req.url)
  return pathname.replace(/^\/fhir/, '') + search
}

export function reply(c: Context, resource: Resource): Response {
  return c.body(utf8(JSON.stringify(resource)), 200, { 'Content-Type': 'application/fhir+json; charset=utf-8', 'Cache-Control': 'no-store' })
}

/** Null when absent. */
export function resourceOr404<T extends Resource>(resource: T | null, what: string): T {
  if (!resource) throw notFound(what)
  return resource
}

/** A parameter of `Parameters` by name; undefined when it is not there. */
export function parameterOf(parameters: Parameters, name: string): ParametersParameter | undefined {
  return parameters.parameter?.find((each) => each.name === name)
}
