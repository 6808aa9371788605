/**
 * `$export` of the whole store, of all patients and of a group: the kick-off. It checks what is asked, notes it and answers with the address
 * where it can be followed (http/exports.ts); the worker does the rest (run-exports.ts). For systems only: a person sees records one by one.
 * Of a group its members of this moment are exported; with `_since` those who came in later come with their whole record.
 * Source: HL7 Bulk Data Access IG 2.0.
 */
import type { Group } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { signInRequired } from '../../access/may-write.ts'
import type { Ctx } from '../../ctx.ts'
import { keyOf } from '../../fhir/id.ts'
import { fail, forbidden, OutcomeError } from '../../fhir/outcome.ts'
import { parseReference } from '../../fhir/references.ts'
import { typeCode } from '../../fhir/resource-types.ts'
import type { Db, Trx } from '../../storage/pool.ts'
import { inTransaction } from '../../storage/transaction.ts'
import { resourceOf } from '../content.ts'
import { readResource } from '../read-resource.ts'
import { compartmentKey } from '../search/keys.ts'
import type { Operation, OperationCall, OperationResult } from '../store.ts'
import { keysText } from '../write-rows.ts'
import { type ExportLevel, type ExportRequest, readExportRequest } from './export-request.ts'
import { expiryOf } from './run-exports.ts'

const definition = 'http://hl7.org/fhir/uv/bulkdata/OperationDefinition'
const common = { name: '$export', methods: ['GET', 'POST'], affectsState: true } as const
const parameters = '_outputFormat, _since, _type, _typeFilter, _elements'

export const exportOperations: readonly Operation[] = [
  { ...common, level: 'system', types: [], definition: `${definition}/export`, summary: `Bulk Data: everything, as NDJSON. ${parameters}.`, run: (call) => kickOff(call, 'system') },
  { ...common, level: 'type', types: ['Patient'], definition: `${definition}/patient-export`, summary: `Bulk Data: the records of all patients, or of those named. ${parameters}, patient.`, run: (call) => kickOff(call, 'patient') },
  { ...common, level: 'instance', types: ['Group'], definition: `${definition}/group-export`, summary: `Bulk Data: the records of a group. ${parameters}, patient.`, run: (call) => kickOff(call, 'group') },
]

/** Exports of one system that may be under way at once. */
const runningMax = 5
const membersPerBatch = 100

async function kickOff(call: OperationCall, level: ExportLevel): Promise<OperationResult> {
  const { db, ctx, base } = call
  if (ctx.principal.kind === 'anonymous') throw signInRequired()
  if (ctx.principal.kind !== 'client') throw forbidden()
  if (!call.respondAsync) throw asynchronous()
  const request = readExportRequest(call, level)
  const members = await membersOf(call, level, request)
  const id = ctx.newId(0)
  const address = `${base}${level === 'system' ? '' : level === 'patient' ? '/Patient' : `/Group/${call.id}`}/$export${call.query.size > 0 ? `?${call.query}` : ''}`
  await inTransaction(db, async (trx) => {
    await assertFew(trx, ctx)
    await trx.insertInto('bulk_export').values({
      id, state: 'accepted', principal: ctx.principal, request_url: address, request, transaction_at: ctx.now.toISOString(), position: null, issues: [], expires_at: expiryOf(ctx),
    }).execute()
    await insertMembers(trx, id, members)
  })
  return {
    status: 202, headers: { 'Content-Location': `${base}/_export/${id}` },
    resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'information', code: 'informational', diagnostics: `The export was accepted. Its state: ${base}/_export/${id}` }] },
  }
}

function asynchronous(): OutcomeError {
  return fail('bad-request', { zh: '$export 只能异步执行，请加上请求头 Prefer: respond-async。', en: '$export runs asynchronously only. Send the header Prefer: respond-async.' })
}

/** Throws rate-limited (429). Kick-offs of one system wait for each other. */
async function assertFew(trx: Trx, { principal }: Ctx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`export ${principal.id}`}, 0))`.execute(trx)
  const { rows } = await sql<{ many: number }>`select count(*)::int as many from bulk_export where state in ('accepted', 'running') and principal ->> 'id' = ${principal.id}`.execute(trx)
  if ((rows[0]?.many ?? 0) < runningMax) return
  const { issues } = fail('rate-limited', {
    zh: `同时最多进行 ${runningMax} 个导出，请等其中一个完成或取消它。`, en: `At most ${runningMax} exports run at once. Wait for one to end, or cancel it.`,
  })
  throw new OutcomeError(issues, { headers: { 'Retry-After': '60' } })
}

/** `whole`: in spite of `_since`. */
interface Member { id: string; whole: boolean }

/** The patients of an export of named patients or of a group; null when it is of all. */
async function membersOf({ db, ctx, store, id }: OperationCall, level: ExportLevel, { since, patients, base }: ExportRequest): Promise<Member[] | null> {
  if (level !== 'group') return patients === null ? null : [...new Set(patients)].map((each) => ({ id: each, whole: false }))
  const group = resourceOf<Group>(await readResource(db, ctx, store, 'Group', id as string))
  const members = patientsIn(group, base, ctx.now)
  const foreign = patients?.find((each) => !members.has(each))
  if (foreign !== undefined) {
    throw fail('parameter-invalid', { zh: `Patient/${foreign} 不在这个组里。`, en: `Patient/${foreign} is not in this group.` }, 'patient')
  }
  const before = since === null ? members : await membersAt(db, id as string, base, since)
  return [...(patients === null ? members : new Set(patients))].map((each) => ({ id: each, whole: !before.has(each) }))
}

function patientsIn(group: Group, base: string, now: Date): Set<string> {
  const found = new Set<string>()
  for (const { entity, inactive, period } of group.member ?? []) {
    if (inactive === true || (period?.end !== undefined && Date.parse(period.end) < now.getTime())) continue
    const reference = entity?.reference ?? ''
    const target = parseReference(reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference)
    if (target.kind === 'local' && target.type === 'Patient') found.add(target.id)
  }
  return found
}

/** Who was in the group at an instant; nobody when there was none. */
async function membersAt(db: Db, id: string, base: string, at: string): Promise<Set<string>> {
  const t = sql.raw(String(typeCode('Group')))
  const version = (table: string, deleted: string) => sql`select r.version, r.last_updated, r.content, ${sql.raw(deleted)} as deleted from ${sql.table(table)} r
    where r.id = ${keyOf(id)}::uuid and r.t = ${t} and r.last_updated <= ${at}::timestamptz`
  const { rows: [row] } = await sql<{ version: number; last_updated: string; content: string | null; deleted: boolean }>`
    ${version('resource', 'false')} union all ${version('resource_history', 'r.deleted')} order by version desc limit 1`.execute(db)
  if (!row || row.deleted || row.content === null) return new Set()
  return patientsIn(resourceOf<Group>({ version: row.version, lastUpdated: row.last_updated, content: row.content }), base, new Date(at))
}

/** Those with a whole record stand in batches of their own, after the others. */
async function insertMembers(trx: Trx, id: string, members: readonly Member[] | null): Promise<void> {
  if (members === null || members.length === 0) return
  const sorted = [...members.filter((each) => !each.whole), ...members.filter((each) => each.whole)]
  let batch = -1
  let size = 0
  const rows = sorted.map((member, index) => {
    if (index === 0 || size === membersPerBatch || member.whole !== sorted[index - 1]?.whole) [batch, size] = [batch + 1, 0]
    size++
    const pid = keyOf(member.id)
    return { pid, key: compartmentKey(pid), batch, whole: member.whole }
  })
  await sql`insert into bulk_export_member (export_id, pid, key, batch, whole) select ${id}::uuid, * from unnest(${rows.map((each) => each.pid)}::uuid[],
    ${keysText(rows.map((each) => each.key))}::text::bigint[], ${rows.map((each) => each.batch)}::int[], ${`{${rows.map((each) => each.whole).join(',')}}`}::text::boolean[])`.execute(trx)
}
