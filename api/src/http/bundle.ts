/**
 * `POST /fhir`: transaction (all or nothing, one database transaction) and batch (each entry by itself). Writes of a transaction go
 * through the store together; its reads run after them and see them. A history is taken as the transaction that makes each resource what it last was. A system client may send a file with `X-Load-Sha256`: it
 * is stored once, whoever sends it how often. Source: FHIR R4 § http.html#transaction.
 */
import type { Provenance, Resource } from '@medplum/fhirtypes'
import { assertMayAsk } from '../access/may-ask.ts'
import { recordEvents } from '../audit/record-event.ts'
import type { Ctx } from '../ctx.ts'
import { isCompartmentType } from '../fhir/compartments.ts'
import { stringifyJson } from '../fhir/json.ts'
import { fail, issue, operationOutcome, OutcomeError } from '../fhir/outcome.ts'
import { attest } from '../records/attest.ts'
import { bundleEntries, type BundleEntry, entryOf, isQuestion } from '../records/bundle-entries.ts'
import { claimFile } from '../records/loaded-files.ts'
import type { Operation } from '../records/store.ts'
import { type LastState, lastStates } from '../records/last-states.ts'
import { type EntryResult, methodOrder, writeBundle, type WriteEntry } from '../records/write-bundle.ts'
import type { WriteMode } from '../records/write-plan.ts'
import { changesSent } from '../storage/changes-sent.ts'
import { inTransaction } from '../storage/transaction.ts'
import { asOutcome, isRefusal, isUnchanged, refusals } from './errors.ts'
import { history, historyOfMany } from './histories.ts'
import { type Edge, operation, read, searchMany, searchType, vread } from './interactions.ts'
import { provenanceMisplaced } from './provenance-header.ts'
import { type Answer, answerOf, answerOfResource, answerOfWrite, etagOf, ifMatchVersion, isFresh, type Preference, textOf } from './reply.ts'

export interface BundleCall {
  edge: Edge
  operations: readonly Operation[]
  /** The CapabilityStatement. */
  statement: Answer
  prefer: Preference
  /** The file this bundle is, when it is loaded as one; null otherwise. */
  file: { sha256: string; name: string } | null
  /** What the client says of where it all comes from; null when it says nothing. */
  provenance: Provenance | null
  /** Told of the failure of one entry of a batch that is no refusal. */
  onFault(error: unknown): void
}

/** Throws the outcome of the first entry that fails (transaction), or faults of the bundle itself. */
export async function postBundle(call: BundleCall, bundle: Resource): Promise<Answer> {
  const type: unknown = (bundle as { type?: unknown }).type
  if (bundle.resourceType !== 'Bundle' || (type !== 'transaction' && type !== 'batch' && type !== 'history')) {
    throw fail('bad-request', {
      zh: '这里只接收类型为 transaction、batch 或 history 的 Bundle。', en: 'A Bundle of type transaction, batch or history is expected here.',
    }, bundle.resourceType === 'Bundle' ? 'Bundle.type' : 'resourceType')
  }
  const entries = bundleEntries(bundle)
  if (type === 'batch' && call.provenance !== null) throw provenanceMisplaced()
  if (type === 'batch' && call.file === null) return batch(call, entries)
  if (type === 'history') return transaction(call, lastStates(entries))
  return transaction(call, entries.map((value, index) => ({ value, index })))
}

async function transaction(call: BundleCall, values: readonly LastState[]): Promise<Answer> {
  const { edge, file } = call
  const entries = values.map(({ value, index }) => entryOf(value, index, edge.base))
  const writes = entries.filter((entry) => !isQuestion(entry)).map(writeEntry)
  const texts = await inTransaction(edge.db, async (trx) => {
    if (file !== null && !(await claimFile(trx, edge.ctx, { ...file, resources: writes.length }))) return null
    const mode: WriteMode = file === null ? 'client' : 'import'
    const results = await writeBundle(trx, edge.ctx, edge.store, writes, mode, edge.base)
    if (call.provenance !== null) await attest(trx, edge.ctx, edge.store, call.provenance, [...results.values()].flatMap((result) => ('written' in result ? [result.written] : [])))
    const answers: string[] = []
    for (const entry of entries) {
      const result = results.get(entry.index)
      const answer = result ? answerOfResult(result, call.prefer, edge.ctx) : await readEntry({ ...call, edge: { ...edge, db: trx } }, entry).catch((error: unknown) => { throw ofEntry(error, entry) })
      answers.push(responseEntry(answer, call.prefer, entry))
    }
    return answers
  })
  return texts === null ? alreadyLoaded(edge.ctx) : bundleAnswer(edge.ctx, 'transaction-response', texts)
}

/** The answer to a file that is loaded already; given before the body is read whenever its row is there. */
export function alreadyLoaded(ctx: Ctx): Answer {
  const text = ctx.language === 'zh' ? '这个文件已经导入过。' : 'This file has been loaded already.'
  const outcome = { resourceType: 'OperationOutcome', issue: [{ severity: 'information', code: 'informational', details: { text }, diagnostics: text }] }
  return { ...answerOfResource(outcome), headers: { 'X-Load-Skipped': 'true' } }
}

function writeEntry(entry: BundleEntry): WriteEntry {
  return { ...entry, ifMatchVersion: ifMatchVersion(entry.ifMatch, `${entry.path}.request.ifMatch`) }
}

async function batch(call: BundleCall, values: readonly unknown[]): Promise<Answer> {
  const { edge } = call
  const texts: string[] = []
  for (const index of batchOrder(values)) {
    const value = values[index]
    const before = changesSent()
    try {
      const entry = entryOf(value, index, edge.base)
      const answer = isQuestion(entry) ? await readEntry(call, entry) : await writeAlone(call, writeEntry(entry))
      texts[index] = responseEntry(answer, call.prefer, entry)
    } catch (error) {
      const { method, url } = requestOf(value)
      texts[index] = await refusedEntry(call, error, { url, unchanged: isUnchanged(method, before) })
    }
  }
  return bundleAnswer(edge.ctx, 'batch-response', texts)
}

/** Indexes in the order in which a transaction would work the entries; searches by POST are reads. */
function batchOrder(values: readonly unknown[]): number[] {
  const rank = (value: unknown): number => {
    const { request } = (value ?? {}) as { request?: { method?: unknown; url?: unknown } | null }
    const method = methodOrder[request?.method as keyof typeof methodOrder] ?? methodOrder.GET
    return typeof request?.url === 'string' && /\/?_search(?:$|\?)/.test(request.url) ? methodOrder.GET : method
  }
  return values.map((value, index) => ({ index, rank: rank(value) })).sort((a, b) => a.rank - b.rank || a.index - b.index).map((each) => each.index)
}

async function writeAlone({ edge, prefer }: BundleCall, entry: WriteEntry): Promise<Answer> {
  const results = await inTransaction(edge.db, (trx) => writeBundle(trx, edge.ctx, edge.store, [entry], 'client', edge.base))
  return answerOfResult(results.get(entry.index) as EntryResult, prefer, edge.ctx)
}

function answerOfResult(result: EntryResult, prefer: Preference, ctx: Ctx): Answer {
  if ('existing' in result) {
    const { existing } = result
    return { ...answerOf(existing), location: `${existing.type}/${existing.id}/_history/${existing.version}` }
  }
  return answerOfWrite(result.written, prefer, ctx.language)
}

/** A fault of a question names the entry that asks. */
function ofEntry(error: unknown, { path }: BundleEntry): unknown {
  return error instanceof OutcomeError ? error.at(`${path}.request.url`) : error
}

/** A read, answered 304 when the entry says that its version is known. */
async function readEntry(call: BundleCall, entry: BundleEntry): Promise<Answer> {
  const answer = await readTarget(call, entry)
  return isFresh(answer, entry.ifNoneMatch, entry.ifModifiedSince) ? { ...answer, status: 304, text: null } : answer
}

/** Read, vread, history, search, an operation or the CapabilityStatement. */
async function readTarget({ edge, operations, statement }: BundleCall, entry: BundleEntry): Promise<Answer> {
  const { type, id, history: ofHistory, version, operation: name, member, metadata, query } = entry.target
  if (metadata) return statement
  if (name !== null) return operation(edge, operationOf(edge, operations, entry, name), { type, id, query, body: entry.resource, idempotencyKey: null })
  if (type === null) return ofHistory ? historyOfMany(edge, null, query) : searchMany(edge, null, null, query)
  if (!edge.store.entries.has(type)) throw fail('type-unknown', { zh: `不支持资源类型 ${type}。`, en: `The resource type ${type} is not offered here.` }, `${entry.path}.request.url`)
  assertMayAsk(edge.ctx, type, id === null ? 's' : 'r')
  if (id === null) return ofHistory ? historyOfMany(edge, type, query) : searchType(edge, type, query)
  if (member !== null) {
    if (!isCompartmentType(type)) throw fail('bad-request', { zh: `${type} 没有分区。`, en: `${type} has no compartment.` }, `${entry.path}.request.url`)
    return searchMany(edge, { type, id }, member === '*' ? null : [member], query)
  }
  if (version !== null) return vread(edge, type, id, version, query)
  return ofHistory ? history(edge, type, id, query) : read(edge, type, id, query)
}

/** In a transaction everything happens at once or not at all; an operation that changes something does so by itself. */
function operationOf({ db }: Edge, operations: readonly Operation[], { target: { type, id }, method, path }: BundleEntry, name: string): Operation {
  const level = id !== null ? 'instance' : type !== null ? 'type' : 'system'
  const found = operations.find((each) => each.name === name && each.level === level && (type === null || each.types.includes(type)) && each.methods.includes(method === 'POST' ? 'POST' : 'GET'))
  if (!found) throw fail('operation-unknown', { zh: `没有操作 ${name}。`, en: `There is no operation ${name}.` }, `${path}.request.url`)
  if (found.affectsState && db.isTransaction) {
    throw fail('bad-request', { zh: `${name} 会修改数据，不能放在事务里。`, en: `${name} changes something, so it can't be part of a transaction.` }, `${path}.request.url`)
  }
  return found
}

function responseEntry(answer: Answer, prefer: Preference, entry: BundleEntry): string {
  const response = {
    status: `${answer.status} ${reasons[answer.status] ?? ''}`.trim(),
    ...(answer.location === null ? {} : { location: answer.location }),
    ...(answer.version === null ? {} : { etag: etagOf(answer.version) }),
    ...(answer.lastModified === null ? {} : { lastModified: answer.lastModified }),
  }
  const write = !isQuestion(entry)
  const text = textOf(answer)
  if (text === null || entry.method === 'HEAD' || (write && prefer === 'minimal')) return `{"response":${JSON.stringify(response)}}`
  // What is said of a write stands in the response; a resource stands beside it.
  if (write && prefer === 'OperationOutcome' && text.startsWith('{"resourceType":"OperationOutcome"')) {
    return `{"response":${JSON.stringify(response).slice(0, -1)},"outcome":${text}}}`
  }
  return `{"resource":${text},"response":${JSON.stringify(response)}}`
}

const reasons: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'No Content', 304: 'Not Modified' }

/** What an entry asks for, as far as it says so. */
function requestOf(entry: unknown): { method: string; url: string } {
  const { request } = (typeof entry === 'object' && entry !== null ? entry : {}) as { request?: { method?: unknown; url?: unknown } | null }
  return { method: typeof request?.method === 'string' ? request.method : '', url: typeof request?.url === 'string' ? request.url : '' }
}

/** @param asked.url for the audit row of a refusal. @param asked.unchanged that the entry has surely changed nothing. */
async function refusedEntry({ edge, onFault }: BundleCall, error: unknown, asked: { url: string; unchanged: boolean }): Promise<string> {
  const outcome = asOutcome(error, asked.unchanged)
  if (outcome !== error) onFault(error)
  const status = outcome?.status ?? 500
  if (outcome && isRefusal(outcome)) await recordEvents(edge.db, edge.ctx, refusals(outcome, asked.url))
  const issues = outcome?.issues ?? [issue('internal', { zh: '系统出错，请稍后再试。', en: 'Something went wrong on our side. Please try again.' }, null, 'fatal')]
  return `{"response":{"status":"${status}","outcome":${stringifyJson(operationOutcome(issues, edge.ctx.language))}}}`
}

function bundleAnswer(ctx: Ctx, type: string, entries: readonly string[]): Answer {
  const list = entries.length === 0 ? '' : `,"entry":[${entries.join(',')}]`
  return {
    status: 200, version: null, lastModified: null, location: null,
    text: `{"resourceType":"Bundle","id":"${ctx.newId(null)}","meta":{"lastUpdated":"${ctx.now.toISOString()}"},"type":"${type}"${list}}`,
  }
}
