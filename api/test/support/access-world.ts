/**
 * The callers and situations of access/matrix.ts as principals, rows and relations: one patient that everybody has to do with, one who keeps
 * the hospital out, one whose relations are over, and one nobody has anything to do with.
 */

import { allGroups, groupBits } from '../../src/access/data-groups.ts'
import { everyBit, hiddenBit, labelBit, statutoryBit, unhideableBit } from '../../src/access/labels.ts'
import type { MatrixCaller, Situation } from '../../src/access/matrix.ts'
import { anonymous, type Principal, type Role } from '../../src/access/principal.ts'
import { keyOf, shardOf } from '../../src/fhir/id.ts'
import type { ResourceType } from '../../src/fhir/resource-types.ts'
import type { Db } from '../../src/storage/pool.ts'
import { citizen, clinician } from './platform.ts'
import { testId } from './visit.ts'

export const [hospital, elsewhere, emergencyHospital, region, agency] = ['hospital-a', 'hospital-b', 'hospital-c', 'region', 'agency']
/** The caller's department, and another one that is sensitive. */
export const [ownDepartment, psychiatry] = ['03.04', '15']

/** Ids of patients. */
export const records = { own: 'record-own', related: 'record-related', barred: 'record-barred', past: 'record-past', unrelated: 'record-unrelated' } as const

export function recordOf(situation: Situation): string {
  switch (situation) {
    case 'own': return records.own
    case 'past': return records.past
    case 'unrelated': case 'notifiable': return records.unrelated
    case 'barred': case 'barred-own': return records.barred
    default: return records.related
  }
}

const doctor = clinician('doctor', hospital, '王医生')
const person = (role: Role, more: Partial<Principal> = {}): Principal => ({ ...anonymous, kind: 'person', id: `p-${role}`, name: role, role, ...more })
const machine = (organization: string | null): Principal => ({ ...anonymous, kind: 'client', id: `system-${organization}`, name: 'HIS', organization, scopes: ['system/*.cruds'] })
const callers: Readonly<Record<MatrixCaller, Principal>> = {
  'citizen': citizen(records.own), 'guardian': citizen('guardian'), 'guardian-14': citizen('guardian-14'), 'relative': citizen('relative'), 'clinician': doctor,
  'author': { ...doctor, id: 'author', practitioner: 'author' }, 'gp': { ...doctor, id: 'gp', role: 'gp', practitioner: 'gp' },
  'emergency': { ...doctor, id: 'emergency', practitioner: 'emergency', organization: emergencyHospital }, 'scheduler': person('scheduler', { organization: hospital }),
  'insurer': person('insurer', { organization: agency }), 'public-health': person('public-health'), 'admin-system': person('admin-system'), 'admin-security': person('admin-security'),
  'admin-audit': person('admin-audit'), 'hospital-system': machine(hospital), 'region-system': machine(region), 'city-system': machine(null),
  'citizen-app': { ...citizen(records.own), scopes: ['patient/*.rs'], launchPatient: records.own },
  'app': { ...doctor, scopes: ['DiagnosticReport', 'ImagingStudy', 'Specimen', 'Observation'].map((type) => `patient/${type}.rs${type === 'Observation' ? '?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory' : ''}`) },
  'anonymous': anonymous,
}

/** An app of a clinician is launched for the patient in question. */
export function principalOf(caller: MatrixCaller, situation: Situation): Principal {
  return caller === 'app' ? { ...callers.app, launchPatient: recordOf(situation) } : callers[caller]
}

/** Who wrote the entries. */
export const author = 'author'
/** Situations in which the caller's own hospital made the entry. */
const atHospital: ReadonlySet<Situation> = new Set<Situation>(['related', 'past', 'treating', 'barred-own'])

/** What stands on the row of an entry in a situation. */
export function placeOf(type: ResourceType, situation: Situation): { labels: number; organization: string | null; department: string | null; author: string } {
  const labels: Partial<Record<Situation, number>> = { hidden: hiddenBit, sensitive: labelBit('PSY'), treating: labelBit('PSY'), minor: labelBit('ADOL') }
  return {
    labels: (labels[situation] ?? 0) | (type === 'AllergyIntolerance' ? unhideableBit : 0) | (type === 'Condition' && situation === 'notifiable' ? statutoryBit : 0),
    // Of the particulars no hospital is said to be the source.
    organization: type === 'Patient' ? null : keyOf(atHospital.has(situation) ? hospital : elsewhere),
    department: situation === 'sensitive' ? psychiatry : situation === 'treating' ? ownDepartment : null, author: keyOf(author),
  }
}

/** Relations, grants, the bar and the coverage, at and around `now`. */
export async function relate(db: Db, now: Date): Promise<void> {
  const hours = (n: number) => new Date(now.getTime() + n * 3_600_000)
  const open = { from_at: hours(-1), until_at: hours(100) }
  const over = { from_at: hours(-100), until_at: hours(-1) }
  for (const record of Object.values(records)) {
    const pid = keyOf(record)
    const shard = shardOf(pid)
    const relation = (practitioner: string, organization: string, reason: 'appointment' | 'gp-contract' | 'break-glass', when: typeof open, opens = 0) => db.insertInto('care_relation').values({
      shard, pid, ...when, practitioner: keyOf(practitioner), organization: keyOf(organization), department: ownDepartment, opens, reason, reason_id: testId(),
    }).execute()
    await relation('emergency', emergencyHospital, 'break-glass', open, everyBit)
    if (record === records.unrelated || record === records.own) continue
    const when = record === records.past ? over : open
    await relation('doctor', hospital, 'appointment', when)
    await relation('author', hospital, 'appointment', when)
    await relation('gp', hospital, 'gp-contract', when)
    const grant = (grantee: string, kind: 'guardian' | 'authorization', groups: number, limited: Date | null) => db.insertInto('proxy_grant').values({
      shard, pid, ...when, grantee_pid: keyOf(grantee), patient: record, relationship: 'CHILD', patient_name: 'x', kind, groups, limited_at: limited, source: null,
    }).execute()
    await grant('guardian', 'guardian', allGroups, hours(50))
    await grant('guardian-14', 'guardian', allGroups, hours(-0.5))
    await grant('relative', 'authorization', groupBits(['basics', 'problems', 'visits']), null)
  }
}

/** The citizen keeps the hospital of the callers out. */
export async function bar(db: Db, now: Date): Promise<void> {
  const pid = keyOf(records.barred)
  await db.insertInto('record_bar').values({ shard: shardOf(pid), pid, actor: keyOf(hospital), consent: testId(), from_at: new Date(now.getTime() - 1000), until_at: new Date(now.getTime() + 86_400_000) }).execute()
}
