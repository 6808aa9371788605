/** The rooms of a hospital: those its patterns name and those the desk entered. A new one is a Location; one is closed from a day on, when no pattern needs it any more. */
import type { Location } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { fail, notFound, type OutcomeError } from '../fhir/outcome.ts'
import type { Store } from '../records/store.ts'
import { writeResources } from '../records/write-resources.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { organizationShard } from './generate-sessions.ts'
import { reference } from './fhir-names.ts'
import { assertEndDay, assertNotNeeded, lockHospital } from './keep-supply.ts'
import type { Named, RoomView } from './shapes.ts'
import { recordSupplyChange } from './supply-changes.ts'

export async function listRooms(db: Db, ctx: Ctx, organization: string): Promise<RoomView[]> {
  const today = dayInShanghai(ctx.now)
  const own = await db.selectFrom('clinic_room').select(['location', 'name_zh', 'name_en', 'closed_from']).where('organization', '=', organization).execute()
  const named = await db.selectFrom('session_template').select(['location', 'location_name_zh', 'location_name_en'])
    .select((eb) => eb.fn.countAll<number>().filterWhere((each) => each.or([each('valid_until', 'is', null), each('valid_until', '>=', today)])).as('patterns'))
    .where('organization', '=', organization).groupBy(['location', 'location_name_zh', 'location_name_en']).execute()
  const rooms = new Map<string, RoomView>()
  for (const each of named) rooms.set(each.location, { id: each.location, name: { zh: each.location_name_zh, en: each.location_name_en }, patterns: Number(each.patterns) + (rooms.get(each.location)?.patterns ?? 0), closedFrom: null })
  for (const each of own) rooms.set(each.location, { id: each.location, name: { zh: each.name_zh, en: each.name_en }, patterns: rooms.get(each.location)?.patterns ?? 0, closedFrom: each.closed_from })
  return [...rooms.values()].sort((a, b) => (a.name.zh < b.name.zh ? -1 : 1))
}

/** @throws OutcomeError `parameter-invalid` for a room that is not the hospital's or closed by then. */
export async function roomOf(db: Db, ctx: Ctx, organization: string, id: string, day: string): Promise<RoomView> {
  const room = (await listRooms(db, ctx, organization)).find((each) => each.id === id)
  if (room && (room.closedFrom === null || room.closedFrom > day)) return room
  throw invalid('times.room', '请选择本院正在使用的诊室。', 'Choose a room of the hospital that is in use.')
}

/** @throws OutcomeError `business-rule` for a name that is there. */
export async function addRoom(trx: Trx, ctx: Ctx, store: Store, organization: string, name: Named): Promise<void> {
  const provider = await lockHospital(trx, organization)
  if ((await listRooms(trx, ctx, organization)).some((each) => each.name.zh === name.zh)) throw fail('business-rule', { zh: '本院已有同名诊室。', en: 'The hospital has a room of this name already.' })
  const location: Location = {
    resourceType: 'Location', id: ctx.newId(organizationShard(organization)), status: 'active', mode: 'instance', name: name.zh,
    managingOrganization: reference(`Organization/${organization}`, { zh: provider.name_zh, en: provider.name_en }),
  }
  await writeResources(trx, ctx, store, [{ method: 'create', type: 'Location', id: location.id as string, resource: location, ifMatch: null }], 'platform')
  await trx.insertInto('clinic_room').values({ shard: organizationShard(organization), location: location.id as string, organization, name_zh: name.zh, name_en: name.en, closed_from: null }).execute()
  await recordSupplyChange(trx, ctx, { kind: 'room-new', subject: location.id as string, from: dayInShanghai(ctx.now), before: null, after: { ...name }, sessions: 0, patients: 0 })
}

/** @throws OutcomeError `business-rule` while a pattern needs the room from that day on. */
export async function closeRoom(trx: Trx, ctx: Ctx, organization: string, { room, from }: { room: string; from: string }): Promise<void> {
  await lockHospital(trx, organization)
  assertEndDay(ctx, from)
  const found = (await listRooms(trx, ctx, organization)).find((each) => each.id === room)
  if (!found) throw notFound(room)
  await assertNotNeeded(trx, organization, { location: room }, from, {
    patterns: (count) => ({ zh: `还有 ${count} 个排班使用这个诊室，请先调整排班。`, en: `${count} patterns use this room. Change them first.` }),
    clinics: { zh: '这一天以后还有门诊使用这个诊室。', en: 'There are clinics in this room after that day.' },
  })
  const row = { shard: organizationShard(organization), location: room, organization, name_zh: found.name.zh, name_en: found.name.en, closed_from: from }
  await trx.insertInto('clinic_room').values(row).onConflict((conflict) => conflict.columns(['location', 'shard']).doUpdateSet({ closed_from: from })).execute()
  await recordSupplyChange(trx, ctx, { kind: 'room-closed', subject: room, from, before: { ...found.name }, after: null, sessions: 0, patients: 0 })
}

function invalid(field: string, zh: string, en: string): OutcomeError {
  return fail('parameter-invalid', { zh, en }, field)
}
