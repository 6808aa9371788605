/**
 * `Patient/[id]/$preview-access`: what a doctor would see of this record now, and what not. It is the decision itself, asked in that doctor's
 * name, and counted by type; for each entry kept back the rule that keeps it. Only the citizen and who acts for them in everything may ask.
 */
import type { Parameters, ParametersParameter, PractitionerRole } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { audienceOf, clinicalReadable } from '../access/audience.ts'
import { groupBit } from '../access/data-groups.ts'
import { loadAccessFacts } from '../access/facts.ts'
import { anonymous, type Principal } from '../access/principal.ts'
import { decide } from '../access/rules.ts'
import { visible } from '../access/visible.ts'
import type { Ctx } from '../ctx.ts'
import { isFhirId, keyOf } from '../fhir/id.ts'
import { notFound } from '../fhir/outcome.ts'
import { typeCode, typeName } from '../fhir/resource-types.ts'
import { parameterInvalid, parametersOf } from './operation-parameters.ts'
import { loadResource } from './read-resource.ts'
import { referenceKey } from './search/keys.ts'
import type { Operation, OperationCall, OperationResult } from './store.ts'

export const previewAccessOperation: Operation = {
  name: '$preview-access', level: 'instance', types: ['Patient'], methods: ['GET'], affectsState: false,
  summary: 'What a doctor would see of this record now: practitioner, organization.', run: previewAccess,
}

interface Row { t: number; pid: string | null; labels: number | null; org: string | null; dept: string | null; author: string | null; shown: boolean }

/** Rows that are looked at one by one; a record has some thousands. */
const rowsMax = 20_000

async function previewAccess(call: OperationCall): Promise<OperationResult> {
  const { db, ctx, id } = call
  const patient = id as string
  const parameters = parametersOf(call, ['practitioner', 'organization'])
  const pid = keyOf(patient)
  const own = (await loadAccessFacts(db, ctx, [pid])).get(pid)
  const mayAsk = ctx.principal.kind === 'person' && ctx.principal.scopes.length === 0 && (own.own || own.grants.some((grant) => (grant.groups & groupBit('access')) !== 0))
  if (!mayAsk) throw notFound(`Patient/${patient}`)
  const doctor: Ctx = { ...ctx, principal: await doctorOf(call, parameters) }
  const facts = (await loadAccessFacts(db, doctor, [pid])).get(pid)
  const { rows } = await sql<Row>`select r.t, r.pid, r.labels, r.org, r.dept, r.author, ${visible(doctor)} as shown from resource r
    where r.pid = ${pid}::uuid and r.t in (${sql.raw(clinicalReadable.map(typeCode).join(','))}) limit ${rowsMax}`.execute(db)
  const counts = new Map<string, { shown: number; hidden: Map<string, number> }>()
  for (const row of rows) {
    const type = typeName(row.t)
    const count = counts.get(type) ?? { shown: 0, hidden: new Map<string, number>() }
    counts.set(type, count)
    if (row.shown) {
      count.shown++
      continue
    }
    const { rule } = decide(doctor.principal, { permission: 'r', type, audience: audienceOf(type), pid, labels: row.labels, organization: row.org, department: row.dept, author: row.author, keys: [] }, facts)
    count.hidden.set(rule, (count.hidden.get(rule) ?? 0) + 1)
  }
  const resource: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'related', valueBoolean: facts.relations.length > 0 },
      { name: 'barred', valueBoolean: facts.barred },
      ...[...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([type, { shown, hidden }]): ParametersParameter => ({
        name: 'type',
        part: [
          { name: 'name', valueCode: type }, { name: 'shown', valueInteger: shown },
          ...[...hidden].map(([rule, count]): ParametersParameter => ({ name: 'hidden', part: [{ name: 'rule', valueCode: rule }, { name: 'count', valueInteger: count }] })),
        ],
      })),
    ],
  }
  return { resource, patients: [patient] }
}

/** The doctor as they would sign in: at the hospital named, else at the first they work for. */
async function doctorOf({ db }: OperationCall, parameters: URLSearchParams): Promise<Principal> {
  const practitioner = parameters.get('practitioner')?.replace(/^Practitioner\//, '') ?? ''
  const organization = parameters.get('organization')?.replace(/^Organization\//, '') ?? null
  if (!isFhirId(practitioner) || (organization !== null && !isFhirId(organization))) throw parameterInvalid('practitioner')
  if (await loadResource(db, 'Practitioner', practitioner) === null) throw parameterInvalid('practitioner')
  return { ...anonymous, kind: 'person', id: practitioner, name: '', role: 'clinician', practitioner, organization: organization ?? await placeOf(db, practitioner) }
}

async function placeOf(db: OperationCall['db'], practitioner: string): Promise<string | null> {
  const key = referenceKey('PractitionerRole', 'practitioner', `Practitioner/${practitioner}`)
  const { rows } = await sql<{ content: string }>`select r.content from resource r where r.t = ${sql.raw(String(typeCode('PractitionerRole')))} and r.keys @> ${`{${key}}`}::bigint[] order by r.id limit 1`.execute(db)
  const role = rows[0] ? JSON.parse(rows[0].content) as PractitionerRole : null
  return role?.organization?.reference?.replace(/^Organization\//, '') ?? null
}
