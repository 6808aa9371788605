/**
 * What a change of a number touches, said before it is made. Release, window, quotas and fees are laid into sessions when these are generated: those
 * that are there already keep theirs, and the new number counts from the first day that has none. Everything else counts from its instant on.
 */
import type { Ctx } from '../ctx.ts'
import { addDays, dayInShanghai } from '../fhir/date-time.ts'
import type { Db } from '../storage/pool.ts'
import { daysKeptAhead } from './generate-sessions.ts'
import { assertMayChange, type ScopeKey } from './set-parameter.ts'
import type { ParameterEffects } from './shapes.ts'

/** The numbers that generate-sessions.ts looks at. */
export function isLaidIntoSessions(name: string): boolean {
  return name !== 'quota.followUp.visitDays' && /^(window\.daysAhead$|release\.|quota\.|fee\.)/.test(name)
}

/** @param from day of the change. @throws OutcomeError `forbidden`, `parameter-invalid`. */
export async function parameterEffects(db: Db, ctx: Ctx, key: ScopeKey, { name, from }: { name: string; from: string | null }): Promise<ParameterEffects> {
  await assertMayChange(db, ctx, key)
  if (!isLaidIntoSessions(name)) return { kept: 0, firstDay: null }
  const today = dayInShanghai(ctx.now)
  const start = from !== null && from > today ? from : today
  const [organization = '', department = ''] = key.id.split('/')
  const { count } = await db.selectFrom('clinic_session as s').innerJoin('clinic_provider as p', (join) => join.onRef('p.organization', '=', 's.organization').onRef('p.shard', '=', 's.shard'))
    .select((eb) => eb.fn.countAll<number>().as('count')).where('s.status', '=', 'open').where('s.service_date', '>=', start).where('s.start_at', '>', ctx.now.toISOString())
    .$if(key.scope === 'city', (query) => query.where('p.district_code', 'like', `${key.id.slice(0, 2)}%`))
    .$if(key.scope === 'hospital' || key.scope === 'department', (query) => query.where('s.organization', '=', organization))
    .$if(key.scope === 'department', (query) => query.where('s.department', '=', department))
    .$if(key.scope === 'clinic', (query) => query.where('s.healthcare_service', '=', key.id)).executeTakeFirstOrThrow()
  const free = addDays(today, await daysKeptAhead(db))
  return { kept: Number(count), firstDay: start > free ? start : free }
}
