/** Those a citizen may act for: themselves first, then children and parents with a valid grant. */
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import type { Db } from '../storage/pool.ts'
import type { Me } from './shapes.ts'

type Person = Me['people'][number]

export async function peopleOf(db: Db, ctx: Ctx, patient: string): Promise<Person[]> {
  const rows = await db.selectFrom('proxy_grant').select(['patient', 'relationship', 'patient_name', 'until_at'])
    .where('grantee_pid', '=', keyOf(patient)).where('from_at', '<=', ctx.now.toISOString())
    .where((eb) => eb.or([eb('until_at', 'is', null), eb('until_at', '>', ctx.now.toISOString())]))
    .orderBy('relationship').orderBy('patient_name').limit(50).execute()
  const self: Person = { patient, name: ctx.principal.name, relationship: 'self', until: null }
  return [self, ...rows.map((row) => ({ patient: row.patient, name: row.patient_name, relationship: relationshipOf(row.relationship), until: row.until_at }))]
}

/** v3 RoleCode of the patient as seen by the citizen → the portal's word. */
function relationshipOf(code: string): Person['relationship'] {
  if (['CHILD', 'SON', 'DAU', 'SONC', 'DAUC', 'NCHILD'].includes(code)) return 'child'
  if (['PRN', 'FTH', 'MTH', 'NFTH', 'NMTH', 'PRNINLAW'].includes(code)) return 'parent'
  return ['SPS', 'HUSB', 'WIFE'].includes(code) ? 'spouse' : 'other'
}
