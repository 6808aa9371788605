/**
 * Filings (备案) with the insured place: treatment in another region (2501) and a disease of the outpatient list (2503). A Task
 * in, the Task with its number out; the same filing again gets the same number. Of one place or disease a person has one at a
 * time (constraint filing_once). A temporary one holds six months unless it says otherwise. Form: docs/settlement.md, § Days,
 * months and filings on the wire.
 */
import type { Task } from '@medplum/fhirtypes'
import type { Kysely, Selectable } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { holdsDivision, psnSystem, regionOfPsnSystem, regionSystem } from '../fhir/claim-message.ts'
import { filingNumberSystem, filingTypeSystem } from '../fhir/clearing-message.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { fail, notFound, type Sentence } from '../fhir/outcome.ts'
import type { InsurerDb, InsurerTrx } from '../storage/pool.ts'
import type { FilingTable, InsurerTables } from '../storage/tables.ts'
import { inTransaction } from '../storage/transaction.ts'
import { type Centre, peerRegionOf, wayTo } from './centre.ts'
import { handOn } from './peer.ts'
import { icd10System, isDay } from './read-claim.ts'
import { addMonths } from './transitions.ts'

type FilingRow = Selectable<FilingTable>

/** Months a filing holds when it names no end; null: until withdrawn. */
const monthsOf: Readonly<Record<FilingRow['kind'], number | null>> = { 'long-term': null, referred: 6, emergency: 6, temporary: 6, disease: null }

interface FilingRequest {
  region: string
  psnNo: string
  kind: FilingRow['kind']
  treatmentRegion: string | null
  disease: string | null
  from: string
  until: string | null
}

/** Throws OutcomeError value-invalid. */
function readFiling(task: Task): FilingRequest {
  const wrong = (expression: string, text: Sentence) => fail('value-invalid', text, expression)
  const kind = task.code?.coding?.find((each) => each.system === filingTypeSystem)?.code as FilingRow['kind'] | undefined
  if (kind === undefined || !Object.hasOwn(monthsOf, kind)) throw wrong('Task.code', { zh: '备案类型须为 long-term、referred、emergency、temporary 或 disease。', en: 'The kind of filing must be long-term, referred, emergency, temporary or disease.' })
  const person = task.for?.identifier
  const region = regionOfPsnSystem(person?.system)
  if (region === null || !person?.value || person.value.length > 30) throw wrong('Task.for.identifier', { zh: '缺少参保人员编号及参保地。', en: 'The insured-person number with its region is missing.' })
  const place = task.location?.identifier?.system === regionSystem ? task.location.identifier.value ?? '' : ''
  const treatmentRegion = kind === 'disease' ? null : place
  if (treatmentRegion !== null && (!/^\d{6}$/.test(treatmentRegion) || holdsDivision(region, treatmentRegion))) {
    throw wrong('Task.location.identifier', { zh: '就医地须为参保地以外的六位行政区划代码。', en: 'The place of treatment must be a code of six digits outside the place of insurance.' })
  }
  const disease = kind === 'disease' ? task.reasonCode?.coding?.find((each) => each.system === icd10System)?.code ?? '' : null
  if (disease !== null && !/^[A-Z]\d\d(\.\d+)?$/.test(disease)) throw wrong('Task.reasonCode', { zh: '缺少慢特病病种的 ICD-10 编码。', en: 'The ICD-10 code of the disease is missing.' })
  const from = task.executionPeriod?.start?.slice(0, 10) ?? ''
  const until = task.executionPeriod?.end?.slice(0, 10) ?? null
  if (!isDay(from) || (until !== null && (!isDay(until) || until < from))) throw wrong('Task.executionPeriod', { zh: '备案的起止日期不正确。', en: 'The days of the filing are not valid.' })
  return { region, psnNo: person.value, kind, treatmentRegion, disease, from, until }
}

const rejections = {
  'not-insured': { zh: '参保地未查到该参保人员编号。', en: 'The place of insurance does not know this insured-person number.' },
  overlaps: { zh: '该就医地或病种在此期间已有备案，请先撤销。', en: 'There is a filing for this place or disease in that time; withdraw it first.' },
} as const satisfies Record<string, Sentence>

/** A filing is kept where the person is insured; another centre is asked to. Throws OutcomeError value-invalid, insurer-unreachable. */
export async function fileTask(db: InsurerDb, ctx: Ctx, centre: Centre, task: Task): Promise<Task> {
  const request = readFiling(task)
  const peer = peerRegionOf(ctx.principal) === null ? wayTo(centre, request.region) : null
  return peer ? handOn(() => peer.file(task)) : keepFiling(db, ctx, request, centre.region)
}

async function keepFiling(db: InsurerDb, ctx: Ctx, request: FilingRequest, own: string): Promise<Task> {
  const months = monthsOf[request.kind]
  const until = request.until ?? (months === null ? null : addMonths(request.from, months))
  return inTransaction(db, async (trx) => {
    const person = await trx.selectFrom('insured_person').select('psn_no').where('psn_no', '=', request.psnNo).where('region', '=', own).forUpdate().executeTakeFirst()
    const row: FilingRow = {
      id: ctx.newId(null), psn_no: request.psnNo, kind: request.kind, region: request.treatmentRegion, disease: request.disease,
      from_date: request.from, until_date: until, withdrawn_on: null, client_id: ctx.principal.id, filed_at: ctx.now.toISOString(),
    }
    if (!person) return taskOf(row, own, 'not-insured')
    const others = (await filingsOf(trx, request.psnNo)).filter((each) => each.region === row.region && each.disease === row.disease)
    const same = others.find((each) => each.kind === row.kind && each.from_date === row.from_date && each.until_date === until && each.withdrawn_on === null)
    if (same) return taskOf(same, own)
    if (others.some((each) => overlaps(each, row))) return taskOf(row, own, 'overlaps')
    await trx.insertInto('filing').values(row).execute()
    return taskOf(row, own)
  })
}

function overlaps(one: FilingRow, other: FilingRow): boolean {
  const last = one.withdrawn_on === null ? one.until_date ?? '9999-12-31' : one.withdrawn_on > one.from_date ? one.withdrawn_on : ''
  return last !== '' && one.from_date <= (other.until_date ?? '9999-12-31') && (one.withdrawn_on === null ? last >= other.from_date : last > other.from_date)
}

async function filingsOf(db: Kysely<InsurerTables>, psnNo: string): Promise<FilingRow[]> {
  return db.selectFrom('filing').selectAll().where('psn_no', '=', psnNo).orderBy('from_date', 'desc').orderBy('id').execute()
}

export async function findFilings(db: Kysely<InsurerTables>, own: string, person: { system: string; value: string }): Promise<Task[]> {
  if (regionOfPsnSystem(person.system) !== own) return []
  return (await filingsOf(db, person.value)).map((row) => taskOf(row, own))
}

/** It ends yesterday, or never held when it begins today or later. Throws OutcomeError not-found. */
export async function withdrawFiling(db: InsurerDb, ctx: Ctx, id: string, own: string): Promise<Task> {
  const row = await db.updateTable('filing').set((eb) => ({ withdrawn_on: eb.fn.coalesce('withdrawn_on', eb.cast<string>(eb.val(dayInShanghai(ctx.now)), 'date')) }))
    .where('id', '=', id).returningAll().executeTakeFirst()
  if (!row) throw notFound(`Task/${id}`)
  return taskOf(row, own)
}

function taskOf(row: FilingRow, own: string, rejected: keyof typeof rejections | null = null): Task {
  return {
    resourceType: 'Task', id: row.id, identifier: rejected ? [] : [{ system: filingNumberSystem, value: row.id }],
    status: rejected ? 'rejected' : row.withdrawn_on === null ? 'accepted' : 'cancelled', intent: 'order',
    ...(rejected ? { statusReason: { coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/filing-rejection', code: rejected }], text: `${rejections[rejected].zh} ${rejections[rejected].en}` } } : {}),
    code: { coding: [{ system: filingTypeSystem, code: row.kind }] },
    for: { identifier: { system: psnSystem(own), value: row.psn_no } },
    ...(row.region === null ? {} : { location: { identifier: { system: regionSystem, value: row.region } } }),
    ...(row.disease === null ? {} : { reasonCode: { coding: [{ system: icd10System, code: row.disease }] } }),
    executionPeriod: { start: row.from_date, ...(row.until_date === null ? {} : { end: row.until_date }) },
    authoredOn: row.filed_at, ...(row.withdrawn_on === null ? {} : { lastModified: `${row.withdrawn_on}T00:00:00+08:00` }),
  }
}

/** Filings of people who are taken over from a register; one that is there already is left as it is. */
export async function insertFilings(
  trx: InsurerTrx, rows: readonly { id: string; psnNo: string; kind: FilingRow['kind']; region: string; from: string; until?: string }[], atMs: number,
): Promise<void> {
  if (rows.length === 0) return
  await trx.insertInto('filing').values(rows.map((row) => ({
    id: row.id, psn_no: row.psnNo, kind: row.kind, region: row.region, disease: null, from_date: row.from, until_date: row.until ?? null, withdrawn_on: null,
    client_id: 'register', filed_at: new Date(atMs),
  }))).onConflict((conflict) => conflict.doNothing()).execute()
}
