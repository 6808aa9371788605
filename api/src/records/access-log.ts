/**
 * `Patient/[id]/$access-log`: who looked at or changed this record, when, in which role and why, newest first, as AuditEvent
 * resources in a searchset Bundle. The citizen sees every row; reading the log is itself no entry of the log.
 * Its rows as resources: audit-event.ts.
 */
import type { Bundle } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { groupBit } from '../access/data-groups.ts'
import { loadAccessFacts } from '../access/facts.ts'
import { keyOf } from '../fhir/id.ts'
import { fail, notFound } from '../fhir/outcome.ts'
import type { Db } from '../storage/pool.ts'
import { auditEventOf, type AuditRow } from './audit-event.ts'
import type { Operation, OperationCall, OperationResult } from './store.ts'

const pageSize = 100

export const accessLogOperation: Operation = {
  name: '$access-log', level: 'instance', types: ['Patient'], methods: ['GET'], affectsState: false,
  summary: 'Who looked at or changed this record, when, in which role and why, newest first.',
  run: accessLog,
}

/** @throws OutcomeError `not-found` when the caller is neither the citizen nor someone who acts for them. */
async function accessLog({ db, ctx, id, query }: OperationCall): Promise<OperationResult> {
  const patient = id ?? ''
  const pid = keyOf(patient)
  const facts = (await loadAccessFacts(db, ctx, [pid])).get(pid)
  const auditor = ctx.principal.kind === 'person' && ctx.principal.role === 'admin-audit'
  if (!auditor && !facts.own && !facts.grants.some((grant) => (grant.groups & groupBit('access')) !== 0)) throw notFound(`Patient/${patient}`)
  const rows = await readRows(db, pid, before(query))
  const events = rows.slice(0, pageSize).map((row) => auditEventOf(row, patient, ctx.language))
  const last = rows.length > pageSize ? rows[pageSize - 1] : undefined
  const bundle: Bundle = {
    resourceType: 'Bundle', type: 'searchset',
    link: [{ relation: 'self', url: `Patient/${patient}/$access-log` }, ...(last ? [{ relation: 'next', url: `Patient/${patient}/$access-log?before=${last.recorded_at}~${last.id}` }] : [])],
    entry: events.map((resource) => ({ resource, search: { mode: 'match' } })),
  }
  return { resource: bundle }
}

/** `before=<instant>~<id>` of a next link. */
function before(query: URLSearchParams): { at: string; id: string } | null {
  const text = query.get('before')
  if (text === null) return null
  const [at = '', id = ''] = text.split('~')
  if (Number.isNaN(Date.parse(at)) || !/^[0-9a-f-]{36}$/.test(id)) {
    throw fail('parameter-invalid', { zh: '参数 before 不正确。', en: 'Parameter before is not valid.' }, 'before')
  }
  return { at, id }
}

async function readRows(db: Db, pid: string, from: { at: string; id: string } | null): Promise<AuditRow[]> {
  let query = db.selectFrom('audit_event').selectAll().where('pid', '=', pid)
  if (from) query = query.where(sql<boolean>`(recorded_at, id) < (${from.at}::timestamptz, ${from.id}::uuid)`)
  return query.orderBy('recorded_at', 'desc').orderBy('id', 'desc').limit(pageSize + 1).execute()
}
