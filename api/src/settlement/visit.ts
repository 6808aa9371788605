/**
 * What settlement needs to know of a visit: whose it is, where and when, at what kind of institution, and who insures the
 * patient on that day. Reads only.
 */
import type { Coverage, Encounter, Organization } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { hospitalLevelSystem, institutionSystem, regionOfPsnSystem, schemeSystem } from '../fhir/claim-message.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { fail, type Sentence } from '../fhir/outcome.ts'
import { referenceTarget } from '../fhir/references.ts'
import { typeCode } from '../fhir/resource-types.ts'
import { bothLanguagesOf } from '../fhir/translation.ts'
import { loadResource } from '../records/read-resource.ts'
import { resourceOf, type StoredRow, storedOf } from '../records/content.ts'
import { plainArray } from '../storage/array-literal.ts'
import { batched, perDatabase } from '../storage/batched.ts'
import type { Db } from '../storage/pool.ts'

export interface Visit {
  encounterId: string
  /** Keys and shard of the patient. */
  encounterKey: string
  pid: string
  shard: number
  patientId: string
  /** The institution, not its department. */
  organizationId: string
  organization: Sentence
  /** 12 characters at the insurer; null when the institution is not designated. */
  institutionCode: string | null
  /** Insurer's code of the hospital level, 01 to 11. */
  levelCode: string
  department: Sentence
  practitionerId: string | null
  /** YYYY-MM-DD in the city. */
  serviceDate: string
  /** med_type: 11 outpatient, 13 emergency, 21 inpatient. */
  medicalType: string
}

/** Of an Encounter that is in hand. Throws OutcomeError value-invalid when it names no patient, institution or time. */
export async function visitOf(db: Db, encounter: Encounter): Promise<Visit> {
  const encounterId = encounter.id ?? ''
  const patientId = idIn(encounter.subject?.reference, 'Patient')
  const start = encounter.period?.start
  const provider = idIn(encounter.serviceProvider?.reference, 'Organization')
  if (patientId === null || provider === null || !start) {
    throw fail('value-invalid', { zh: '就诊记录缺少患者、医疗机构或就诊时间，不能记账。', en: 'The visit names no patient, institution or time, so nothing can be charged to it.' }, 'ChargeItem.context')
  }
  const pid = keyOf(patientId)
  const { institution, department } = await institutionOf(db, provider)
  const specialty = bothLanguagesOf(encounter.serviceType?.coding?.[0], 'display') ?? bothLanguagesOf(encounter.serviceType, 'text')
  const name = bothLanguagesOf(institution, 'name') ?? { zh: '医疗机构', en: 'Institution' }
  return {
    encounterId, encounterKey: keyOf(encounterId), pid, shard: shardOf(pid), patientId,
    organizationId: institution.id ?? provider, organization: name,
    institutionCode: institution.identifier?.find((each) => each.system === institutionSystem)?.value ?? null,
    levelCode: institution.type?.flatMap((each) => each.coding ?? []).find((each) => each.system === hospitalLevelSystem)?.code ?? '11',
    department: specialty ?? bothLanguagesOf(department ?? undefined, 'name') ?? { zh: '门诊', en: 'Outpatient' },
    practitionerId: encounter.participant?.map((each) => idIn(each.individual?.reference, 'Practitioner')).find((each) => each !== null) ?? null,
    serviceDate: start.length > 10 ? dayInShanghai(new Date(start)) : start,
    medicalType: medicalTypes[encounter.class?.code ?? ''] ?? '11',
  }
}

/** The institution an organization is or belongs to; null when there is none or it has no code at the insurer. */
export async function loadInstitution(db: Db, organizationId: string): Promise<{ id: string; code: string } | null> {
  if (!await loadResource<Organization>(db, 'Organization', organizationId)) return null
  const { institution } = await institutionOf(db, organizationId)
  const code = institution.identifier?.find((each) => each.system === institutionSystem)?.value
  return code === undefined ? null : { id: institution.id ?? organizationId, code }
}

/** Null when there is no such Encounter. */
export async function loadVisit(db: Db, encounterId: string): Promise<Visit | null> {
  const encounter = await loadResource<Encounter>(db, 'Encounter', encounterId)
  return encounter ? visitOf(db, encounter) : null
}

/** v3 ActCode of Encounter.class → med_type. */
const medicalTypes: Record<string, string> = { EMER: '13', IMP: '21', ACUTE: '21', NONAC: '21', SS: '21' }

const ancestorsMax = 4

/** An Encounter may name a department; the institution is the first above it that has a code at the insurer, else the top. */
async function institutionOf(db: Db, id: string): Promise<{ institution: Organization; department: Organization | null }> {
  const first = await loadResource<Organization>(db, 'Organization', id)
  if (!first) throw fail('reference-unresolved', { zh: '就诊记录中的医疗机构不存在。', en: 'The institution of the visit does not exist.' }, 'ChargeItem.context')
  let institution = first
  for (let step = 0; step < ancestorsMax; step++) {
    const above = idIn(institution.partOf?.reference, 'Organization')
    if (above === null || institution.identifier?.some((each) => each.system === institutionSystem)) break
    const parent = await loadResource<Organization>(db, 'Organization', above)
    if (!parent) break
    institution = parent
  }
  return { institution, department: institution === first ? null : first }
}

export interface Insurance {
  coverageId: string
  region: string
  psnNo: string
  scheme: string
  payor: Coverage['payor']
}

const coveragesMax = 50

type Insured = Pick<Visit, 'pid' | 'shard' | 'serviceDate'>

/** The basic coverage that is valid on the day of service, not of settlement; the primary one when several are. Null when none is. */
export async function insuranceOn(db: Db, visit: Insured): Promise<Insurance | null> {
  return insuranceIn(db.isTransaction ? (await coveragesOf(db, [visit]))[0] ?? [] : await coveragesJoined(db, visit), visit)
}

/** Of several visits, in one statement. */
export async function insurancesOn(db: Db, visits: readonly Insured[]): Promise<(Insurance | null)[]> {
  const rows = await coveragesOf(db, visits)
  return visits.map((visit, index) => insuranceIn(rows[index] ?? [], visit))
}

function insuranceIn(rows: readonly StoredRow[], { serviceDate }: Pick<Visit, 'serviceDate'>): Insurance | null {
  return rows.map((row) => resourceOf<Coverage>(storedOf('Coverage', row)))
    .filter((coverage) => coverage.status === 'active' && covers(coverage, serviceDate))
    .sort((a, b) => (a.order ?? 1) - (b.order ?? 1))
    .map(insuranceOf).find((each) => each !== null) ?? null
}

const coveragesJoined = perDatabase((db: Db) => batched<Insured, StoredRow[]>({ max: 64, run: (visits) => coveragesOf(db, visits) }))

/** Of each patient the newest coverages, one statement for all. */
async function coveragesOf(db: Db, visits: readonly Insured[]): Promise<StoredRow[][]> {
  const { rows } = await sql<StoredRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content
    from (select distinct pid, shard from unnest(${plainArray(visits.map(({ pid }) => pid))}::uuid[], ${plainArray(visits.map(({ shard }) => shard))}::int[]) as u (pid, shard)) as w
    cross join lateral (select * from resource r where r.pid = w.pid and r.t = ${sql.raw(String(typeCode('Coverage')))} and r.shard = w.shard
      order by r.d0 desc, r.id limit ${coveragesMax}) as r order by r.d0 desc, r.id`.execute(db)
  const found = Map.groupBy(rows, (row) => row.pid)
  return visits.map(({ pid }) => found.get(pid) ?? [])
}

function covers(coverage: Coverage, day: string): boolean {
  const { start, end } = coverage.period ?? {}
  return (start === undefined || start.slice(0, 10) <= day) && (end === undefined || day <= end.slice(0, 10))
}

function insuranceOf(coverage: Coverage): Insurance | null {
  const number = coverage.identifier?.find((each) => regionOfPsnSystem(each.system) !== null)
  const region = regionOfPsnSystem(number?.system)
  const scheme = coverage.type?.coding?.find((each) => each.system === schemeSystem)?.code
  if (region === null || !number?.value || scheme === undefined) return null
  return { coverageId: coverage.id ?? '', region, psnNo: number.value, scheme, payor: coverage.payor }
}

/** Id of a relative reference to a type; null when it is none. */
export function idIn(reference: string | undefined, type: string): string | null {
  const target = reference === undefined ? null : referenceTarget(reference)
  return target?.startsWith(`${type}/`) ? target.slice(type.length + 1) : null
}
