/**
 * Lists of referrals for those who have a part in them: the GP's centre, the receiving department, the hospital's office, the patient. They say where a
 * referral stands and whose turn it is, not why it was made. Every patient listed to a professional is in the audit trail.
 */
import type { Patient, Practitioner } from '@medplum/fhirtypes'
import { recordEvents } from '../../audit/record-event.ts'
import type { Ctx } from '../../ctx.ts'
import { addMinutes } from '../../fhir/date-time.ts'
import { forbidden } from '../../fhir/outcome.ts'
import { loadResources } from '../../records/read-resource.ts'
import type { Db } from '../../storage/pool.ts'
import { patientName } from '../appointment-resource.ts'
import { departmentName } from '../departments.ts'
import type { Named } from '../shapes.ts'
import { partiesOf } from './parties.ts'
import { departmentsOfDoctor, type ReferralRow } from './rows.ts'
import type { ReferralPaper, ReferralView } from './shapes.ts'
import { partyNames, possibleSteps, rowOf, states } from './steps.ts'

export type ReferralRole = 'gp' | 'department' | 'office' | 'patient'

const listMax = 200
/** What is over is shown this long. */
const overDays = 180

/** @param pid key of the patient, for their own list. @throws OutcomeError `forbidden`. */
export async function readReferrals(db: Db, ctx: Ctx, as: ReferralRole, pid: string | null): Promise<ReferralView[]> {
  const rows = await select(db, ctx, as, pid)
  const views = await viewsOf(db, ctx, rows, as === 'office')
  if (as !== 'patient') {
    await recordEvents(db, ctx, rows.map((row) => ({ action: 'R', interaction: 'search-type', resourceType: 'ServiceRequest', resourceId: row.request, pid: row.pid, detail: 'referrals', outcome: 200 })))
  }
  return views
}

/** What the paper shows to whoever holds it. */
export async function readPaper(db: Db, ctx: Ctx, row: ReferralRow): Promise<ReferralPaper> {
  const [view] = await viewsOf(db, ctx, [row], true)
  if (!view) throw new Error('A referral has a view.')
  const { code, patient, organization, department, practitioner, state, stateName, expires } = view
  return { code, patientName: patient.name, organization, department, practitioner, state, stateName, expires, bookable: rowOf('book', state) !== null && Date.parse(expires) > ctx.now.getTime() }
}

async function select(db: Db, ctx: Ctx, as: ReferralRole, pid: string | null): Promise<ReferralRow[]> {
  const { principal } = ctx
  const { practitioner, organization } = principal
  const query = db.selectFrom('referral').selectAll().where((eb) => eb.or([eb('deadline_at', 'is not', null), eb('updated_at', '>=', addMinutes(ctx.now, -overDays * 24 * 60).toISOString())]))
    .orderBy('deadline_at', (order) => order.asc().nullsLast()).orderBy('updated_at', 'desc').limit(listMax)
  if (as === 'patient' && pid !== null) return query.where('pid', '=', pid).execute()
  if (principal.kind !== 'person' || organization === null) throw forbidden()
  if (as === 'gp' && principal.role === 'gp' && practitioner !== null) {
    return query.where((eb) => eb.or([eb('gp', '=', practitioner), eb('gp_organization', '=', organization)])).execute()
  }
  if (as === 'department' && principal.role === 'clinician' && practitioner !== null) {
    const departments = await departmentsOfDoctor(db, practitioner, organization)
    return departments.length === 0 ? [] : query.where('organization', '=', organization).where('department', 'in', departments).execute()
  }
  if (as === 'office' && principal.role === 'scheduler') {
    return query.where((eb) => eb.or([eb('organization', '=', organization), eb('gp_organization', '=', organization)])).execute()
  }
  throw forbidden()
}

async function viewsOf(db: Db, ctx: Ctx, rows: readonly ReferralRow[], covered: boolean): Promise<ReferralView[]> {
  if (rows.length === 0) return []
  const [patients, doctors, hospitals, bookings] = await Promise.all([
    loadResources<Patient>(db, 'Patient', [...new Set(rows.map((row) => row.patient))]),
    loadResources<Practitioner>(db, 'Practitioner', [...new Set(rows.flatMap((row) => [row.gp, row.practitioner ?? []].flat()))]),
    db.selectFrom('clinic_provider').select(['organization', 'name_zh', 'name_en']).where('organization', 'in', [...new Set(rows.map((row) => row.organization))]).execute(),
    bookingsOf(db, rows),
  ])
  const doctor = (id: string) => ({ id, name: patientName(doctors.get(id) ?? {}) })
  return Promise.all(rows.map(async (row): Promise<ReferralView> => {
    const { name, owner, escalation } = states[row.state]
    const hospital = hospitals.find((each) => each.organization === row.organization)
    const patient = patientName(patients.get(row.patient) ?? {})
    const booking = bookings.find((each) => each.id === row.booking)
    const expired = Date.parse(row.expires_at) <= ctx.now.getTime()
    return {
      id: row.request, task: row.task, code: row.code, patient: { id: row.patient, name: covered ? coveredName(patient) : patient }, gp: doctor(row.gp),
      organization: { id: row.organization, name: { zh: hospital?.name_zh ?? row.organization, en: hospital?.name_en ?? row.organization } },
      department: { code: row.department, name: { ...departmentName(row.department) } }, practitioner: row.practitioner === null ? null : doctor(row.practitioner),
      priority: row.priority, state: row.state, stateName: name, owner: owner === null ? null : { party: owner, name: partyNames[owner] }, deadline: row.deadline_at,
      overdue: row.deadline_at !== null && Date.parse(row.deadline_at) <= ctx.now.getTime(), told: escalation.slice(0, row.escalation).map((party) => partyNames[party]),
      created: row.created_at, expires: row.expires_at, visit: booking ? { appointment: booking.appointment, start: booking.start_at } : null,
      steps: possibleSteps({ state: row.state, escalation: row.escalation, parties: await partiesOf(db, ctx, row), expired }),
    }
  }))
}

async function bookingsOf(db: Db, rows: readonly ReferralRow[]) {
  const keys = rows.flatMap((row) => row.booking ?? [])
  return keys.length === 0 ? [] : db.selectFrom('booking').select(['id', 'appointment', 'start_at']).where('id', 'in', keys).execute()
}

/** 张三丰 → 张*丰, 李四 → 李*; Zhang Sanfeng → Zhang S*. */
export function coveredName({ zh, en }: Named): Named {
  const letters = [...zh]
  const last = letters.length > 2 ? letters.at(-1) : ''
  const [family = '', given = ''] = en.split(' ')
  return { zh: letters.length === 0 ? '' : `${letters[0]}*${last}`, en: given === '' ? `${[...family][0] ?? ''}*` : `${family} ${[...given][0]}*` }
}
