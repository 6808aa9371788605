/**
 * /fhir: each route turns a request into an interaction and its `Answer` into a reply. Nothing is decided here but what HTTP itself
 * asks: media types, sizes, validators, preferences. Errors are thrown and rendered by the one renderer of the app.
 * Source: FHIR R4 § RESTful API.
 */
import type { Resource } from '@medplum/fhirtypes'
import { type Context, Hono } from 'hono'
import { mayImport } from '../access/may-ask.ts'
import { sha256Hex } from '../crypto.ts'
import type { Ctx } from '../ctx.ts'
import { isCompartmentType } from '../fhir/compartments.ts'
import { isFhirId } from '../fhir/id.ts'
import { parseJson } from '../fhir/json.ts'
import type { FhirModel } from '../fhir/model.ts'
import { fail, OutcomeError, type Sentence } from '../fhir/outcome.ts'
import { isResourceType, type ResourceType } from '../fhir/resource-types.ts'
import { utf8 } from '../fhir/utf8.ts'
import { assertSameTypeAndId } from '../records/bundle-entries.ts'
import { isLoaded, isSha256 } from '../records/loaded-files.ts'
import type { Compartment } from '../records/search/compartment.ts'
import type { Operation } from '../records/store.ts'
import type { Services } from '../services.ts'
import type { AppEnv } from './auth.ts'
import { isContent, isPlainJson, readBinary, readBinaryOrResource, sendContent, wantsContent } from './binary.ts'
import { readForm, readJsonText, readPatchBody, readResourceBody } from './body.ts'
import { alreadyLoaded, postBundle } from './bundle.ts'
import { logFailure } from './errors.ts'
import { history, historyOfMany } from './histories.ts'
import { type Edge, operation, read, searchMany, searchType, vread } from './interactions.ts'
import { capabilityStatement } from './metadata.ts'
import { hasProvenance, provenanceMisplaced, provenanceOf } from './provenance-header.ts'
import { type Answer, answerOfResource, assertJsonAccepted, assertPretty, formatOf, headersOf, isAsynchronous, isKnown, isLenient, preferenceOf, send, textOf } from './reply.ts'
import { terminologyCapabilities } from './terminology-capabilities.ts'
import { viewOf, viewParameters } from './view.ts'
import { create, patch, remove, type Target, update } from './writes.ts'

export function fhirRoutes(services: Services): Hono<AppEnv> {
  const base = `${services.config.publicUrl}/fhir`
  const { bodyBytesMax } = services.config
  const edgeOf = (c: Context<AppEnv>): Edge => ({ db: services.db, ctx: currentCtx(services, c), store: services.store, base, lenient: isLenient(c) })
  const typeOf = (c: Context<AppEnv>): ResourceType => offeredType(services, c.req.param('type') ?? '')
  const targetOf = (c: Context<AppEnv>): Target => ({ type: typeOf(c), id: validId(c.req.param('id') ?? ''), query: queryOf(c) })
  // Without any condition it would be every resource of the type: that is not offered.
  const conditionalTargetOf = (c: Context<AppEnv>): Target => {
    const target = { type: typeOf(c), id: null, query: queryOf(c) }
    if (target.query.size === 0) throw namesNothing(target.type)
    return target
  }
  const reply = (c: Context<AppEnv>, answer: Answer) => send(c, answer, base)
  const bytesOrReply = (c: Context<AppEnv>, answer: Answer) => (isBinary(c) && wantsContent(c) && !isKnown(c, answer) ? sendContent(c, answer, headersOf(answer, base)) : reply(c, answer))
  const bodyOf = (c: Context<AppEnv>, type: ResourceType, id: string | null): Promise<Resource> =>
    (type === 'Binary' && isContent(c) ? readBinary(c, bodyBytesMax, id) : type === 'Binary' && isPlainJson(c) ? readBinaryOrResource(c, bodyBytesMax, id) : readResourceBody(c, bodyBytesMax))
  // Printed once: it is long, and nothing in it changes but the search parameters, which are in another model then.
  let printed: { model: FhirModel; answer: Answer } | null = null
  const statement = (): Answer => {
    const { store, operations, config, now } = services
    if (printed?.model !== store.model) printed = { model: store.model, answer: statementAnswer(capabilityStatement(store, operations, base, now(), config.corsOrigins.length > 0)) }
    return printed.answer
  }
  statement()

  const formQuery = async (c: Context<AppEnv>) => {
    const form = await readForm(c, bodyBytesMax)
    assertJsonAccepted(c, form.get('_format') || formatOf(c))
    return new URLSearchParams([...queryOf(c), ...form])
  }

  const app = new Hono<AppEnv>({ strict: false })
  app.use(async (c, next) => {
    if (!(isBinary(c) && wantsContent(c))) assertJsonAccepted(c)
    assertPretty(c)
    await next()
  })

  let terminology: Answer | null = null
  app.get('/metadata', (c) => {
    const mode = c.req.query('mode') ?? 'full'
    if (mode === 'terminology') return reply(c, partOf(edgeOf(c), 'TerminologyCapabilities', terminology ??= statementAnswer(terminologyCapabilities(base, services.now())), queryOf(c)))
    if (mode === 'full' || mode === 'normative') return reply(c, partOf(edgeOf(c), 'CapabilityStatement', statement(), queryOf(c)))
    throw fail('parameter-invalid', { zh: 'mode 应为 full、normative 或 terminology。', en: 'mode must be full, normative or terminology.' }, 'mode')
  })
  app.post('/', async (c) => reply(c, await bundleRoute(services, edgeOf, statement(), c)))

  app.on(['GET', 'POST'], '/:operation{\\$[^/]+}', async (c) => reply(c, await operationRoute(services, edgeOf(c), c, 'system', null, null)))
  app.on(['GET', 'POST'], '/:type/:operation{\\$[^/]+}', async (c) => reply(c, await operationRoute(services, edgeOf(c), c, 'type', typeOf(c), null)))
  app.on(['GET', 'POST'], '/:type/:id/:operation{\\$[^/]+}', async (c) => reply(c, await operationRoute(services, edgeOf(c), c, 'instance', typeOf(c), c.req.param('id'))))
  app.on(['GET', 'POST'], '/:type/:id/_history/:version/:operation{\\$[^/]+}', async (c) => reply(c, await operationRoute(services, edgeOf(c), c, 'instance', typeOf(c), c.req.param('id'))))

  const typesOf = (name: string): ResourceType[] | null => (name === '*' ? null : [offeredType(services, name)])
  const compartmentOf = (c: Context<AppEnv>): Compartment => {
    const type = c.req.param('compartment') ?? ''
    if (!isCompartmentType(type)) throw unoffered(services, c)
    return { type, id: validId(c.req.param('id') ?? '') }
  }
  app.get('/', async (c) => reply(c, await searchMany(edgeOf(c), null, null, queryOf(c))))
  app.post('/_search', async (c) => reply(c, await searchMany(edgeOf(c), null, null, await formQuery(c))))
  app.get('/_history', async (c) => reply(c, await historyOfMany(edgeOf(c), null, queryOf(c))))
  app.get('/:type/_history', async (c) => reply(c, await historyOfMany(edgeOf(c), typeOf(c), queryOf(c))))
  app.post('/:type/_search', async (c) => {
    const type = typeOf(c)
    return reply(c, await searchType(edgeOf(c), type, await formQuery(c)))
  })
  // Words that no type and no id is called: whatever else is asked of them is not offered.
  for (const reserved of ['/metadata', '/_history', '/_search', '/:operation{\\$[^/]+}', '/:type/_history', '/:type/_search', '/:type/:operation{\\$[^/]+}']) app.all(reserved, (c) => { throw unoffered(services, c) })
  app.get('/:compartment{[A-Z][A-Za-z]+}/:id/:member{(?:[A-Z][A-Za-z]+|\\*)}', async (c) => reply(c, await searchMany(edgeOf(c), compartmentOf(c), typesOf(c.req.param('member')), queryOf(c))))
  app.post('/:compartment{[A-Z][A-Za-z]+}/:id/:member{(?:[A-Z][A-Za-z]+|\\*)}/_search', async (c) =>
    reply(c, await searchMany(edgeOf(c), compartmentOf(c), typesOf(c.req.param('member')), await formQuery(c))))

  app.get('/:type', async (c) => reply(c, await searchType(edgeOf(c), typeOf(c), queryOf(c))))
  app.post('/:type', async (c) => {
    const type = typeOf(c)
    const resource = await bodyOf(c, type, null)
    assertSameTypeAndId(resource, type, null, null)
    const query = queryOf(c)
    // Clients of another server name the file so; a Binary has no place for it.
    if (type === 'Binary') query.delete('_filename')
    return reply(c, await create(edgeOf(c), c, type, query, resource))
  })

  app.get('/:type/:id', async (c) => bytesOrReply(c, await read(edgeOf(c), typeOf(c), c.req.param('id'), queryOf(c))))
  app.put('/:type/:id', async (c) => {
    const target = targetOf(c)
    const resource = await bodyOf(c, target.type, target.id)
    assertSameTypeAndId(resource, target.type, target.id, null)
    return reply(c, await update(edgeOf(c), c, target, resource))
  })
  app.patch('/:type/:id', async (c) => reply(c, await patch(edgeOf(c), c, targetOf(c), await readPatchBody(c, bodyBytesMax))))
  app.delete('/:type/:id', async (c) => reply(c, await remove(edgeOf(c), c, targetOf(c))))
  app.put('/:type', async (c) => {
    const target = conditionalTargetOf(c)
    const resource = await readResourceBody(c, bodyBytesMax)
    assertSameTypeAndId(resource, target.type, null, null)
    return reply(c, await update(edgeOf(c), c, target, resource))
  })
  app.patch('/:type', async (c) => {
    const target = conditionalTargetOf(c)
    return reply(c, await patch(edgeOf(c), c, target, await readPatchBody(c, bodyBytesMax)))
  })
  app.delete('/:type', async (c) => reply(c, await remove(edgeOf(c), c, conditionalTargetOf(c))))
  app.get('/:type/:id/_history', async (c) => reply(c, await history(edgeOf(c), typeOf(c), c.req.param('id'), queryOf(c))))
  app.get('/:type/:id/_history/:version', async (c) => bytesOrReply(c, await vread(edgeOf(c), typeOf(c), c.req.param('id'), c.req.param('version'), queryOf(c))))

  app.all('*', (c) => { throw unoffered(services, c) })
  return app
}

/** The statement is the same for all who have the same ETag, whenever the process that sends it began. */
function statementAnswer(resource: Record<string, unknown>): Answer {
  const { date: _, ...rest } = resource
  const answer = answerOfResource(resource)
  // More than a megabyte: encoded once as well.
  return { ...answer, text: null, bytes: utf8(answer.text ?? ''), headers: { ETag: `W/"${sha256Hex(JSON.stringify(rest)).slice(0, 16)}"` } }
}

/** What `_elements` and `_summary` leave of a statement. */
function partOf(edge: Edge, type: ResourceType, whole: Answer, query: URLSearchParams): Answer {
  const asked = viewParameters(query)
  if (!asked.has('_elements') && !asked.has('_summary')) return whole
  const stored = { type, id: '', version: 0, lastUpdated: '', pid: null, content: textOf(whole) ?? '' }
  const { bytes: _, ...printed } = whole
  return { ...printed, text: viewOf(edge, type, asked)(stored).content, headers: {} }
}

function isBinary(c: Context): boolean {
  return (c.req.method === 'GET' || c.req.method === 'HEAD') && /^\/fhir\/Binary\/[^$_]/.test(c.req.path)
}

/**
 * The caller, with the instant at which the work begins: after the body is there, however slowly it came. Otherwise a version would be dated
 * long before it can be seen, and whoever asks for what changed since would miss it.
 */
function currentCtx(services: Services, c: Context<AppEnv>): Ctx {
  return { ...c.get('ctx'), now: services.now() }
}

async function bundleRoute(services: Services, edgeOf: (c: Context<AppEnv>) => Edge, statement: Answer, c: Context<AppEnv>): Promise<Answer> {
  const file = loadedFileOf(c)
  if (file !== null && await isLoaded(services.db, file.sha256)) return alreadyLoaded(c.get('ctx'))
  const bundle = await readResourceBody(c, services.config.bodyBytesMax)
  const edge = edgeOf(c)
  return postBundle({
    edge, operations: services.operations, statement, prefer: preferenceOf(c, 'minimal'), file, provenance: provenanceOf(c),
    onFault: (error) => { logFailure(services.log, error, { requestId: edge.ctx.requestId }, 'batch entry failed') },
  }, bundle)
}

/** `X-Load-Sha256` and `X-Load-Name` of a system client that may do everything; anybody else's are refused. */
function loadedFileOf(c: Context<AppEnv>): { sha256: string; name: string } | null {
  const sha256 = c.req.header('X-Load-Sha256')
  if (sha256 === undefined) return null
  if (!mayImport(c.get('ctx'))) throw fail('forbidden', { zh: '只有获授权的系统可以导入文件。', en: 'Only a system with full rights may load files.' })
  if (!isSha256(sha256)) throw fail('parameter-invalid', { zh: 'X-Load-Sha256 应是 64 位十六进制数。', en: 'X-Load-Sha256 must be 64 hexadecimal digits.' })
  return { sha256, name: decodeURIComponent(c.req.header('X-Load-Name') ?? 'unnamed').slice(0, 200) }
}

async function operationRoute(
  services: Services, edge: Edge, c: Context<AppEnv>, level: Operation['level'], type: ResourceType | null, id: string | null,
): Promise<Answer> {
  const name = c.req.param('operation') ?? ''
  const version = c.req.param('version')
  const named = services.operations.filter((each) => each.name === name && each.level === level && (type === null || each.types.includes(type)) && (version === undefined || each.ofVersions))
  if (named.length === 0) throw operationUnknown(services, name, type)
  const method = c.req.method === 'POST' ? 'POST' : 'GET'
  const found = named.find((each) => each.methods.includes(method))
  if (!found) throw methodNotAllowed(named.flatMap((each) => each.methods))
  if (found.affectsState && hasProvenance(c)) throw provenanceMisplaced()
  if (id !== null) validId(id)
  const text = method === 'POST' ? await readJsonText(c, services.config.bodyBytesMax) : ''
  const body = text.trim() === '' ? null : parseJson(text)
  return operation(edge, found, {
    type, id, version: version === undefined ? null : versionNumber(version), query: queryOf(c), body, idempotencyKey: c.req.header('Idempotency-Key') ?? null, respondAsync: isAsynchronous(c),
  })
}

/** 0, which no version has, for what is no number. */
function versionNumber(text: string): number {
  return /^\d{1,10}$/.test(text) ? Number(text) : 0
}

function queryOf(c: Context): URLSearchParams {
  return c.req.url.includes('?') ? new URL(c.req.url).searchParams : new URLSearchParams()
}

function offeredType(services: Services, name: string): ResourceType {
  if (isResourceType(name) && services.store.entries.has(name)) return name
  throw fail('type-unknown', { zh: `没有名为“${name.slice(0, 64)}”的资源类型。`, en: `There is no resource type "${name.slice(0, 64)}" here.` })
}

function validId(id: string): string {
  if (isFhirId(id)) return id
  throw fail('id-invalid', { zh: '编号只能由 1 到 64 个字母、数字、“-”或“.”组成。', en: 'An id has 1 to 64 letters, digits, "-" or ".".' })
}

function operationUnknown(services: Services, name: string, type: ResourceType | null): OutcomeError {
  const known = [...new Set(services.operations.filter((each) => type === null || each.types.includes(type)).map((each) => each.name))]
  const shown = name.slice(0, 64)
  return fail('operation-unknown', {
    zh: `没有操作 ${shown}${known.length > 0 ? `，可用：${known.join('、')}` : ''}。`, en: `There is no operation ${shown}${known.length > 0 ? `. Offered here: ${known.join(', ')}` : ''}.`,
  })
}

/** A method or an interaction that is not offered at an address, or an address that means nothing. */
function unoffered(services: Services, c: Context): OutcomeError {
  const [type, id, ...more] = c.req.path.replace(/^\/fhir\/?/, '').split('/').filter((part) => part !== '')
  if (type === undefined) return methodNotAllowed(['GET', 'POST'])
  if (type === 'metadata') return methodNotAllowed(['GET'])
  if (type.startsWith('$')) return methodNotAllowed(['GET', 'POST'])
  if (type === '_history') return methodNotAllowed(['GET'])
  if (type === '_search') return methodNotAllowed(['POST'])
  if (type.startsWith('_')) return notOffered(`/${type}`)
  offeredType(services, type)
  if (id === undefined) return methodNotAllowed(['GET', 'POST'])
  if (id === '_search') return methodNotAllowed(['POST'])
  if (id === '_history') return methodNotAllowed(['GET'])
  if (id.startsWith('$')) return methodNotAllowed(['GET', 'POST'])
  if (more.length > 2 || (more[0] !== undefined && more[0] !== '_history')) return notOffered(c.req.path.replace(/^\/fhir/, ''))
  return methodNotAllowed(more.length > 0 ? ['GET'] : ['GET', 'PUT', 'PATCH', 'DELETE'])
}

function notOffered(address: string): OutcomeError {
  return fail('not-found', { zh: `这里没有 ${address.slice(0, 100)}。`, en: `There is nothing at ${address.slice(0, 100)}.` })
}

/** A write that says neither by id nor by criteria what it writes. */
function namesNothing(type: ResourceType): OutcomeError {
  return methodNotAllowed(['GET', 'POST'], {
    zh: `修改或删除请写明是哪一个：${type}/[id]，或带条件 ${type}?identifier=…。`, en: `To change or delete, say which: ${type}/[id], or with criteria, ${type}?identifier=….`,
  })
}

function methodNotAllowed(methods: readonly string[], hint: Sentence = { zh: '', en: '' }): OutcomeError {
  const list = methods.join(', ')
  const { issues } = fail('method-not-allowed', { zh: `这个地址只接受 ${list}。${hint.zh}`, en: `This address takes ${list} only. ${hint.en}`.trimEnd() })
  return new OutcomeError(issues, { headers: { Allow: methods.includes('GET') ? `${list}, HEAD` : list } })
}
