/**
 * Referrals of the demo household by its family doctor, one in each state that a visitor should meet: waiting for the department, to be booked, given
 * back for information and late, answered. Built by the platform's own functions, so that row, ServiceRequest, Task, relation and events agree.
 */
import { dueFrom } from '@pujiang/api/booking/referral/take-step.ts'
import { hashPin, newPin } from '@pujiang/api/booking/referral/pin.ts'
import { requestOf, taskOf } from '@pujiang/api/booking/referral/resources.ts'
import type { ReferralRow } from '@pujiang/api/booking/referral/rows.ts'
import type { Priority, ReferralState, StepName } from '@pujiang/api/booking/referral/steps.ts'
import { platformDefaults } from '@pujiang/api/booking/parameter-definitions.ts'
import { instantInShanghai } from '@pujiang/api/fhir/date-time.ts'
import { keyOf } from '@pujiang/api/fhir/id.ts'
import type { FhirModel } from '@pujiang/api/fhir/model.ts'
import type { Trx } from '@pujiang/api/storage/pool.ts'
import { type City, doctorWithLogin } from '../directory/city.ts'
import type { Made } from '../fhir-elements.ts'
import type { Life } from '../history/life.ts'
import { Random } from '../random.ts'
import { insertResources } from './resources.ts'

interface Story {
  who: 'head' | 'parent'
  to: 'doctor' | 'doctor2'
  priority: Priority
  hoursAgo: number
  reason: string
  /** The steps after it was made, with hours before now and what was said. */
  since: readonly { step: StepName | 'escalate'; state: ReferralState; hoursAgo: number; by: 'gp' | 'department' | 'platform'; words?: string }[]
}

const stories: readonly Story[] = [
  { who: 'parent', to: 'doctor', priority: 'urgent', hoursAgo: 3, reason: '近一周活动后胸闷较前加重，静息心电图 ST-T 改变，请评估冠心病并调整治疗。', since: [] },
  {
    who: 'head', to: 'doctor2', priority: 'routine', hoursAgo: 50, reason: '体检空腹血糖 6.8 mmol/L，糖化血红蛋白 6.3 %，请协助明确诊断及管理方案。',
    since: [{ step: 'accept', state: 'accepted', hoursAgo: 26, by: 'department' }],
  },
  {
    who: 'parent', to: 'doctor2', priority: 'routine', hoursAgo: 150, reason: '服用二甲双胍后仍餐后血糖偏高，请协助调整用药。',
    since: [
      { step: 'return', state: 'returned', hoursAgo: 100, by: 'department', words: '请补充近三个月糖化血红蛋白和肾功能结果。' },
      { step: 'escalate', state: 'returned', hoursAgo: 28, by: 'platform' },
    ],
  },
  {
    who: 'head', to: 'doctor', priority: 'routine', hoursAgo: 240, reason: '阵发性心悸，动态心电图示偶发房性早搏，是否需要进一步检查？',
    since: [{ step: 'answer', state: 'answered', hoursAgo: 30, by: 'department', words: '偶发房早、心脏结构正常，暂不需药物治疗。减少咖啡和浓茶，三个月后在社区复查动态心电图。' }],
  },
]

/** For the first household; a city without its family doctor has none. */
export async function insertReferrals(trx: Trx, model: FhirModel, city: City, lives: readonly Life[], now: Date): Promise<void> {
  const random = new Random(`${city.seed}/referrals`)
  // Nobody knows these PINs: patient and GP make new ones.
  const pinHash = await hashPin(newPin())
  for (const story of stories) {
    const life = lives.find((each) => each.person.household.index === 0 && each.person.kin === story.who)
    if (!life?.contract) continue
    const made = rowOf(story, { city, life, random, now, pinHash })
    await trx.insertInto('referral').values(made.row).execute()
    await insertResources(trx, model, resourcesOf(story, made.row, now) as unknown as Made[], now)
    await trx.insertInto('referral_event').values(made.events).execute()
    if (made.row.state !== 'answered') await trx.insertInto('care_relation').values(relationsOf(made.row)).execute()
  }
}

interface Making { city: City; life: Life; random: Random; now: Date; pinHash: string }

function rowOf(story: Story, { city, life, random, now, pinHash }: Making) {
  const { person, contract } = life
  const gp = contract?.gp
  const receiver = doctorWithLogin(city, story.to)
  const post = receiver.posts[0]
  if (!gp || !post) throw new Error('A referral has somebody who makes and somebody who gets it.')
  const created = hoursBefore(now, story.hoursAgo)
  const request = random.id(created.getTime(), person.shard)
  const last = story.since.at(-1)
  const state = last?.state ?? 'requested'
  const escalated = story.since.filter((each) => each.step === 'escalate').length
  const expires = new Date(created.getTime() + platformDefaults['referral.validDays'] * 24 * hourMs).toISOString()
  const entered = hoursBefore(now, story.since.find((each) => each.state === state)?.hoursAgo ?? story.hoursAgo)
  const due = dueFrom(entered, state, { priority: story.priority, expires_at: expires }, platformDefaults, { words: null, target: null, visit: null })
  const row: ReferralRow = {
    shard: person.shard, id: keyOf(request), request, task: random.id(created.getTime() + 1, person.shard), code: codeOf(random), pin_hash: pinHash, pid: keyOf(person.id), patient: person.id,
    gp: gp.doctor.id, gp_organization: gp.post.hospital.id, organization: post.hospital.id, department: post.department.code, practitioner: story.to === 'doctor2' ? receiver.id : null,
    priority: story.priority, state, booking: null, ...due, escalation: escalated, escalate_at: escalated > 0 ? new Date(now.getTime() + 20 * hourMs).toISOString() : due.escalate_at,
    expires_at: expires, created_at: created.toISOString(), updated_at: hoursBefore(now, last?.hoursAgo ?? story.hoursAgo).toISOString(),
  }
  const names = { gp: gp.doctor.name.zh, department: receiver.name.zh, platform: '浦江健康平台 Pujiang Health' }
  let from: ReferralState | null = null
  const events = [{ step: 'refer' as const, state: 'requested' as const, hoursAgo: story.hoursAgo, by: 'gp' as const }, ...story.since].map((each) => {
    const event = { referral: row.id, at: hoursBefore(now, each.hoursAgo), step: each.step, from_state: from, to_state: each.state, by_id: 'demo-city', by_name: names[each.by] }
    from = each.state
    return event
  })
  return { row, events }
}

function resourcesOf(story: Story, row: ReferralRow, now: Date) {
  const said = story.since.filter((each) => each.words !== undefined && each.step !== 'answer')
  const notes = said.map((each) => ({ time: instantInShanghai(hoursBefore(now, each.hoursAgo)), text: each.words ?? '' }))
  const answer = story.since.find((each) => each.step === 'answer')?.words ?? null
  return [requestOf(row, { reason: story.reason, added: [] }), taskOf(row, { notes, answer, appointment: null })]
}

/** The receiving hospital sees the record while the referral is open, and the doctor who is named. */
function relationsOf(row: ReferralRow) {
  return [row.organization, ...(row.practitioner === null ? [] : [row.practitioner])].map((actor) => ({
    shard: row.shard, pid: row.pid, practitioner: keyOf(actor), organization: keyOf(row.organization), department: row.department, reason: 'referral' as const, reason_id: row.id,
    from_at: row.created_at, until_at: row.expires_at,
  }))
}

const hourMs = 3_600_000

function hoursBefore(now: Date, hours: number): Date {
  return new Date(now.getTime() - hours * hourMs)
}

const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** The same city has the same codes. */
function codeOf(random: Random): string {
  return Array.from({ length: 10 }, () => letters[random.int(0, letters.length - 1)]).join('')
}
