/**
 * The doctors of a hospital's departments: those who hold its patterns and those the desk entered. Somebody who works elsewhere in the city already (multi-site
 * practice) is taken by their Practitioner; somebody new gets one. In each department they have a PractitionerRole. Who leaves holds no pattern any more.
 */
import type { Practitioner, PractitionerRole } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { addDays, dayInShanghai } from '../fhir/date-time.ts'
import { fail, notFound, type OutcomeError } from '../fhir/outcome.ts'
import { loadResource } from '../records/read-resource.ts'
import type { Store } from '../records/store.ts'
import { writeResources } from '../records/write-resources.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { ClinicDoctorTable } from '../storage/tables.ts'
import { departmentConcept, reference, titleCoding, titleNames } from './fhir-names.ts'
import { organizationShard } from './generate-sessions.ts'
import { assertEndDay, assertNotNeeded, lockHospital } from './keep-supply.ts'
import { isOffered, listServices } from './services.ts'
import type { Named } from './shapes.ts'
import { recordSupplyChange } from './supply-changes.ts'

export type Title = ClinicDoctorTable['title']
export const titles = ['chief', 'associate-chief', 'attending', 'resident'] as const satisfies readonly Title[]

/** `leftFrom` null: works there. */
export interface DepartmentDoctor { role: string; practitioner: string; name: Named; title: Title; leftFrom: string | null }

/** `practitioner` null: somebody new, by the name. */
export interface DoctorWish { department: string; title: Title; practitioner: string | null; name: Named | null }

export async function listDoctors(db: Db, organization: string, department: string): Promise<DepartmentDoctor[]> {
  const held = await db.selectFrom('session_template').select(['practitioner', 'practitioner_role', 'practitioner_name_zh', 'practitioner_name_en', 'title'])
    .where('organization', '=', organization).where('department', '=', department).orderBy('valid_from').execute()
  const own = await db.selectFrom('clinic_doctor').selectAll().where('organization', '=', organization).where('department', '=', department).execute()
  const doctors = new Map<string, DepartmentDoctor>()
  for (const each of held) {
    doctors.set(each.practitioner, { role: each.practitioner_role, practitioner: each.practitioner, name: { zh: each.practitioner_name_zh, en: each.practitioner_name_en }, title: each.title, leftFrom: null })
  }
  for (const each of own) doctors.set(each.practitioner, { role: each.practitioner_role, practitioner: each.practitioner, name: { zh: each.name_zh, en: each.name_en }, title: each.title, leftFrom: each.left_from })
  return [...doctors.values()].sort((a, b) => (a.name.zh < b.name.zh ? -1 : 1))
}

export function works({ leftFrom }: Pick<DepartmentDoctor, 'leftFrom'>, day: string): boolean {
  return leftFrom === null || leftFrom > day
}

/** @throws OutcomeError `parameter-invalid` for a department without clinics or nobody; `business-rule` for who works there already. */
export async function addDoctor(trx: Trx, ctx: Ctx, store: Store, organization: string, wish: DoctorWish): Promise<void> {
  const hospital = await lockHospital(trx, organization)
  const today = dayInShanghai(ctx.now)
  const service = (await listServices(trx, organization)).find((each) => each.department === wish.department && isOffered(each, today))
  if (!service) throw invalid('department', '请先开设这个科室的门诊。', 'Offer a clinic of this department first.')
  const before = (await listDoctors(trx, organization, wish.department)).find((each) => each.practitioner === wish.practitioner)
  if (before?.leftFrom === null) throw fail('business-rule', { zh: '该医生已在这个科室。', en: 'The doctor works in this department already.' })
  const person = wish.practitioner === null ? await newPractitioner(trx, ctx, store, organization, wish) : await knownPractitioner(trx, wish.practitioner)
  const role: PractitionerRole = {
    resourceType: 'PractitionerRole', id: before?.role ?? ctx.newId(organizationShard(organization)), active: true,
    practitioner: reference(`Practitioner/${person.id}`, person.name), organization: reference(`Organization/${organization}`, { zh: hospital.name_zh, en: hospital.name_en }),
    code: [{ coding: [titleCoding(wish.title)] }], specialty: [departmentConcept(wish.department)], healthcareService: [{ reference: `HealthcareService/${service.id}` }],
  }
  const stored = before ? await loadResource<PractitionerRole>(trx, 'PractitionerRole', before.role) : null
  await writeResources(trx, ctx, store, [{ method: stored ? 'update' : 'create', type: 'PractitionerRole', id: role.id as string, resource: stored ? { ...stored, active: true, code: role.code, period: undefined } as PractitionerRole : role, ifMatch: null }], 'platform')
  const row = {
    shard: organizationShard(organization), practitioner_role: role.id as string, practitioner: person.id, organization, department: wish.department, title: wish.title, name_zh: person.name.zh, name_en: person.name.en, left_from: null,
  }
  await trx.insertInto('clinic_doctor').values(row).onConflict((conflict) => conflict.constraint('clinic_doctor_pkey').doUpdateSet(row)).execute()
  await recordSupplyChange(trx, ctx, { kind: 'doctor-new', subject: person.id, from: today, before: null, after: { ...person.name, department: wish.department, title: wish.title }, sessions: 0, patients: 0 })
}

/** @throws OutcomeError `not-found`, `business-rule` while patterns or clinics of the doctor lie behind that day. */
export async function doctorLeaves(trx: Trx, ctx: Ctx, store: Store, organization: string, { practitioner, department, from }: { practitioner: string; department: string; from: string }): Promise<void> {
  await lockHospital(trx, organization)
  assertEndDay(ctx, from)
  const found = (await listDoctors(trx, organization, department)).find((each) => each.practitioner === practitioner && each.leftFrom === null)
  if (!found) throw notFound(practitioner)
  await assertNotNeeded(trx, organization, { department, practitioner }, from, {
    patterns: (count) => ({ zh: `该医生还有 ${count} 个出诊，请先停止。`, en: `The doctor has ${count} patterns. End them first.` }),
    clinics: { zh: '这一天以后该医生还有门诊。', en: 'The doctor holds clinics after that day.' },
  })
  const row = { shard: organizationShard(organization), practitioner_role: found.role, practitioner, organization, department, title: found.title, name_zh: found.name.zh, name_en: found.name.en, left_from: from }
  await trx.insertInto('clinic_doctor').values(row).onConflict((conflict) => conflict.constraint('clinic_doctor_pkey').doUpdateSet({ left_from: from })).execute()
  const role = await loadResource<PractitionerRole>(trx, 'PractitionerRole', found.role)
  if (role) await writeResources(trx, ctx, store, [{ method: 'update', type: 'PractitionerRole', id: found.role, resource: { ...role, active: false, period: { ...role.period, end: addDays(from, -1) } } as PractitionerRole, ifMatch: null }], 'platform')
  await recordSupplyChange(trx, ctx, { kind: 'doctor-left', subject: practitioner, from, before: { ...found.name, department, title: found.title }, after: null, sessions: 0, patients: 0 })
}

interface Person { id: string; name: Named }

async function newPractitioner(trx: Trx, ctx: Ctx, store: Store, organization: string, { name, title }: DoctorWish): Promise<Person> {
  if (name === null) throw invalid('name', '请填写医生的姓名。', 'Give the name of the doctor.')
  const id = ctx.newId(organizationShard(organization))
  const resource: Practitioner = {
    resourceType: 'Practitioner', id, active: true, name: [{ use: 'official', text: name.zh }, { text: name.en }], qualification: [{ code: { coding: [titleCoding(title)], text: titleNames[title]?.zh ?? title } }],
  }
  await writeResources(trx, ctx, store, [{ method: 'create', type: 'Practitioner', id, resource, ifMatch: null }], 'platform')
  return { id, name }
}

/** The names that the directory has: the Chinese one, and the one in letters where it has one. */
async function knownPractitioner(trx: Trx, id: string): Promise<Person> {
  const found = await loadResource<Practitioner>(trx, 'Practitioner', id)
  if (!found || found.active === false) throw invalid('practitioner', '医生名录中没有这位医生。', 'The directory has no such doctor.')
  const texts = (found.name ?? []).map((each) => each.text ?? [each.family, ...each.given ?? []].filter(Boolean).join(' ')).filter((text) => text !== '')
  const zh = texts[0] ?? ''
  return { id, name: { zh, en: texts.find((text) => /^[\p{Script=Latin}\s'’.-]+$/u.test(text)) ?? zh } }
}

function invalid(field: string, zh: string, en: string): OutcomeError {
  return fail('parameter-invalid', { zh, en }, field)
}
