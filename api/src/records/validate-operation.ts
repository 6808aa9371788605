/**
 * `$validate` on the system, a type and an instance: what would be said of a resource, warnings included, without storing it.
 * The body is the resource itself or Parameters { resource, mode, profile }; an instance without a body is validated as stored.
 * Whatever is wrong with the resource is an issue of a 200; only a question that makes no sense is a 4xx.
 * Source: FHIR R4 Resource-operation-validate.
 */
import type { Resource } from '@medplum/fhirtypes'
import { assertMayAsk } from '../access/may-ask.ts'
import { signInRequired } from '../access/may-write.ts'
import { fail, type Issue, issue, operationOutcome, OutcomeError } from '../fhir/outcome.ts'
import { type ResourceType, resourceTypes } from '../fhir/resource-types.ts'
import { resourceOf } from './content.ts'
import { readResource } from './read-resource.ts'
import { withLocalReferences } from './rewrite-texts.ts'
import type { Operation, OperationCall, OperationResult } from './store.ts'
import { validateResources } from './validation/validate-resources.ts'

type Json = Record<string, unknown>

const modes = ['create', 'update', 'delete', 'profile'] as const
type Mode = (typeof modes)[number]

interface Question {
  /** Undefined when none was sent. */
  resource: unknown
  mode: Mode | null
  profiles: string[]
}

const types: readonly ResourceType[] = resourceTypes.filter((type) => type !== 'OperationOutcome' && type !== 'Parameters')

const common = {
  name: '$validate', affectsState: false, definition: 'http://hl7.org/fhir/OperationDefinition/Resource-validate', run: validate,
  summary: 'Whether a resource could be stored: structure, codes, references, invariants, profiles; nothing is stored.',
} as const

export const validateOperations: readonly Operation[] = [
  { ...common, level: 'system', types: [], methods: ['POST'] },
  { ...common, level: 'type', types, methods: ['POST'] },
  { ...common, level: 'instance', types, methods: ['GET', 'POST'] },
]

/** Throws sign-in-required, parameter-invalid, required, not-found and gone. */
async function validate(call: OperationCall): Promise<OperationResult> {
  const { db, ctx, store, type, id } = call
  if (ctx.principal.kind === 'anonymous') throw signInRequired()
  const question = questionOf(call)
  if (type !== null && id !== null && (question.resource === undefined || question.mode === 'delete')) {
    assertMayAsk(ctx, type, 'r')
    const stored = await readResource(db, ctx, store, type, id)
    if (question.mode === 'delete') return answer(call, deleteIssues(call, type))
    return { ...answer(call, await issuesOf(call, { ...question, resource: resourceOf<Resource>(stored) })), patients: stored.pid === null ? [] : [stored.pid] }
  }
  if (question.mode === 'delete') throw fail('parameter-invalid', { zh: 'mode=delete 只能用于某一个资源。', en: 'mode=delete is for one resource: Type/id/$validate.' }, 'mode')
  if (question.resource === undefined) throw fail('required', { zh: '请提交要校验的资源。', en: 'Send the resource to validate.' }, 'resource')
  return answer(call, await issuesOf(call, question))
}

async function issuesOf(call: OperationCall, { resource, mode, profiles }: Question): Promise<Issue[]> {
  const [found = []] = await validateResources(call.db, call.store.model, [asStored(resource, call.store.base)], { warnings: true, profiles })
  return [...placeIssues(call, resource, mode), ...found]
}

/** As a write would take it: references to this server's own address are `Type/id`. */
function asStored(resource: unknown, base: string): unknown {
  return typeof resource === 'object' && resource !== null && !Array.isArray(resource) ? withLocalReferences(resource as Resource, base) : resource
}

/** What is wrong with the address: another type, another id, no id. */
function placeIssues({ type, id }: OperationCall, resource: unknown, mode: Mode | null): Issue[] {
  const { resourceType, id: own } = (resource ?? {}) as Json
  const issues: Issue[] = []
  if (type !== null && typeof resourceType === 'string' && resourceType !== type) {
    issues.push(issue('resource-type-mismatch', { zh: `资源类型是 ${resourceType}，而地址是 ${type}。`, en: `The resource is a ${resourceType}, but the address says ${type}.` }, 'resourceType'))
  }
  if (mode === 'update' && own === undefined) {
    issues.push(issue('required', { zh: '更新时资源必须有 id。', en: 'An update needs the id in the resource.' }, `${String(resourceType)}.id`))
  } else if (mode !== 'create' && id !== null && own !== undefined && own !== id) {
    issues.push(issue('id-mismatch', { zh: '资源的 id 与地址不一致。', en: 'The id of the resource is not that of the address.' }, `${String(resourceType)}.id`))
  }
  return issues
}

function deleteIssues({ store }: OperationCall, type: ResourceType): Issue[] {
  if (store.entries.get(type)?.write !== 'none') return []
  return [issue('read-only-type', { zh: `${type} 不能直接删除，请使用相应的操作。`, en: `${type} can't be deleted directly. Use the operation made for it.` })]
}

function answer({ ctx }: OperationCall, issues: readonly Issue[]): OperationResult {
  const text = { zh: '校验通过，没有发现问题。', en: 'All OK: nothing is wrong with this resource.' }[ctx.language]
  const outcome = issues.length > 0 ? operationOutcome(issues, ctx.language)
    : { resourceType: 'OperationOutcome', issue: [{ severity: 'information', code: 'informational', details: { text }, diagnostics: text }] }
  return { status: 200, resource: outcome as unknown as Resource }
}

function questionOf({ body, query }: OperationCall): Question {
  const parameters = parametersOf(body)
  const mode = text(parameters, 'mode') ?? query.get('mode')
  if (mode !== null && !modes.includes(mode as Mode)) {
    throw fail('parameter-invalid', { zh: `mode 应为 ${modes.join('、')} 之一。`, en: `mode must be one of ${modes.join(', ')}.` }, 'mode')
  }
  const profiles = [...parameters?.filter(({ name }) => name === 'profile').map(valueOf) ?? [], ...query.getAll('profile')]
  if (mode === 'profile' && profiles.length === 0) throw fail('required', { zh: 'mode=profile 需要 profile 参数。', en: 'mode=profile needs the parameter profile.' }, 'profile')
  const sent = parameters ? parameters.find(({ name }) => name === 'resource')?.resource : body ?? undefined
  return { resource: sent, mode: mode as Mode | null, profiles }
}

/** Null when the body is the resource itself: also Parameters that are to be validated as such. */
function parametersOf(body: unknown): Json[] | null {
  if (typeof body !== 'object' || body === null || (body as Json).resourceType !== 'Parameters') return null
  const list = (body as Json).parameter
  const parameters = (Array.isArray(list) ? list : []).filter((each): each is Json => typeof each === 'object' && each !== null)
  const known = parameters.every(({ name }) => ['resource', 'mode', 'profile'].includes(name as string))
  return known && parameters.length > 0 ? parameters : null
}

function text(parameters: readonly Json[] | null, name: string): string | null {
  const found = parameters?.find((each) => each.name === name)
  return found ? valueOf(found) : null
}

function valueOf(parameter: Json): string {
  const value = Object.entries(parameter).find(([key]) => key.startsWith('value'))?.[1]
  if (typeof value === 'string') return value
  const name = String(parameter.name)
  throw new OutcomeError([issue('parameter-invalid', { zh: `参数 ${name} 应为文本。`, en: `The parameter ${name} must be a text.` }, name)])
}
