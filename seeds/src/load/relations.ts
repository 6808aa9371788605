/** Who may see and act for whom in the new city: parents for their children, grown children for old parents, family doctors. */
import { allGroups, familyGroups, groupBits } from '@pujiang/api/access/data-groups.ts'
import { keyOf } from '@pujiang/api/fhir/id.ts'
import type { Trx } from '@pujiang/api/storage/pool.ts'
import type { CareRelationTable, ProxyGrantTable } from '@pujiang/api/storage/tables.ts'
import type { Insertable } from 'kysely'
import { addYears, ageOn, type Day, instantMs } from '../calendar.ts'
import type { Life } from '../history/life.ts'
import { parentsOf, type Person } from '../people/households.ts'

const adultAge = 18
/** From then on a guardian sees a part of the record only. */
const limitedAge = 14
const rowsPerStatement = 500

/** Parents act for a child until its eighteenth birthday, from its fourteenth on for a part of the record; an old parent has agreed that the child they live with does. */
export function grantsOf(person: Person, today: Day): Insertable<ProxyGrantTable>[] {
  const grant = (grantee: Person, relationship: string, until: Day, more: Pick<Insertable<ProxyGrantTable>, 'kind' | 'groups' | 'limited_at'>): Insertable<ProxyGrantTable> => ({
    shard: person.shard, pid: keyOf(person.id), grantee_pid: keyOf(grantee.id), patient: person.id, relationship, patient_name: person.name.zh,
    from_at: new Date(instantMs(Math.max(person.birth, today - 700), 600)), until_at: new Date(instantMs(until, 0)), source: null, ...more,
  })
  if (person.kin === 'child' && ageOn(person.birth, today) < adultAge) {
    const limited = new Date(instantMs(addYears(person.birth, limitedAge), 0))
    return parentsOf(person).map((parent) => grant(parent, person.sex === 'male' ? 'SON' : 'DAU', addYears(person.birth, adultAge), { kind: 'guardian', groups: allGroups, limited_at: limited }))
  }
  if (person.kin === 'parent') return [grant(person.household.members[0] as Person, person.sex === 'male' ? 'FTH' : 'MTH', addYears(today, 1), { kind: 'authorization', groups: groupBits(familyGroups), limited_at: null })]
  return []
}

export function contractRelation(life: Life): Insertable<CareRelationTable> | null {
  const { contract, person } = life
  if (!contract) return null
  return {
    shard: person.shard, pid: keyOf(person.id), practitioner: keyOf(contract.gp.doctor.id), organization: keyOf(contract.gp.post.hospital.id),
    reason: 'gp-contract', reason_id: keyOf(contract.episode), department: '02', from_at: new Date(instantMs(contract.from, 540)), until_at: new Date(instantMs(contract.until, 540)),
  }
}

export async function insertRelations(trx: Trx, grants: readonly Insertable<ProxyGrantTable>[], relations: readonly Insertable<CareRelationTable>[]): Promise<void> {
  for (let from = 0; from < grants.length; from += rowsPerStatement) {
    await trx.insertInto('proxy_grant').values(grants.slice(from, from + rowsPerStatement)).execute()
  }
  for (let from = 0; from < relations.length; from += rowsPerStatement) {
    await trx.insertInto('care_relation').values(relations.slice(from, from + rowsPerStatement)).execute()
  }
}
