/**
 * `Patient/[id]/$access-log`: who looked at or changed this record, when, in which role and why, newest first, as AuditEvent
 * resources in a searchset Bundle. The citizen sees every row; reading the log is itself no entry of the log.
 * Source: IHE BALP, FHIR R4 AuditEvent.
 */
import type { AuditEvent, Bundle } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { groupBit } from '../access/data-groups.ts'
import { loadAccessFacts } from '../access/facts.ts'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { fail, notFound } from '../fhir/outcome.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import type { Db } from '../storage/pool.ts'
import type { AuditEventTable } from '../storage/tables.ts'
import type { Operation, OperationCall, OperationResult } from './store.ts'

type Row = Omit<AuditEventTable, 'recorded_at'> & { recorded_at: string }
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
  if (!auditor && !facts?.own && !facts?.grants.some((grant) => (grant.groups & groupBit('access')) !== 0)) throw notFound(`Patient/${patient}`)
  const rows = await readRows(db, pid, before(query))
  const events = rows.slice(0, pageSize).map((row) => auditEvent(row, patient, ctx))
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

async function readRows(db: Db, pid: string, from: { at: string; id: string } | null): Promise<Row[]> {
  let query = db.selectFrom('audit_event').selectAll().where('pid', '=', pid)
  if (from) query = query.where(sql<boolean>`(recorded_at, id) < (${from.at}::timestamptz, ${from.id}::uuid)`)
  return query.orderBy('recorded_at', 'desc').orderBy('id', 'desc').limit(pageSize + 1).execute()
}

const actionCodes = { C: 'create', R: 'read', U: 'update', D: 'delete', E: 'operation' } as const

function auditEvent(row: Row, patient: string, ctx: Ctx): AuditEvent {
  const restful = /^(read|vread|update|delete|create|history-instance|search-type|transaction|batch)$/.test(row.interaction) ? row.interaction : actionCodes[row.action]
  const own = row.role === 'citizen'
  return {
    resourceType: 'AuditEvent', id: row.id,
    type: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest', display: 'RESTful Operation' },
    subtype: [{ system: 'http://hl7.org/fhir/restful-interaction', code: restful, display: row.interaction }],
    action: row.action,
    recorded: row.recorded_at,
    outcome: row.outcome < 400 ? '0' : '4',
    purposeOfEvent: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: row.purpose }] }],
    agent: [{
      requestor: true,
      name: row.principal_name,
      ...(row.role ? { role: [{ coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/role', code: row.role }] }] } : {}),
      who: {
        ...(row.practitioner ? { reference: `Practitioner/${row.practitioner}` } : own ? {} : { identifier: { value: row.principal_id } }),
        display: row.principal_name,
      },
      ...(row.organization_name ? { location: { display: row.organization_name } } : {}),
    }],
    source: { observer: { display: ctx.language === 'zh' ? '浦江健康' : 'Pujiang Health' } },
    entity: [
      { what: { reference: `Patient/${patient}` }, role: { system: 'http://terminology.hl7.org/CodeSystem/object-role', code: '1' } },
      ...(row.resource_type ? [{
        what: row.resource_id ? { reference: `${row.resource_type}/${row.resource_id}` } : { type: row.resource_type as ResourceType, display: row.resource_type },
        role: { system: 'http://terminology.hl7.org/CodeSystem/object-role', code: '4' },
        ...(row.detail ? { description: row.detail } : {}),
      }] : []),
    ],
  }
}
