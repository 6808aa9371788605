/**
 * The list of a day for one institution (trade 3202): every settlement decided and every reversal made on it, as the sender
 * compares it with its own books. A settlement reversed later stays in the list of its own day, and its reversal stands in the
 * list of the day it was made. A client sees only what it sent itself. Read in pieces, so that a day of any size fits.
 */
import type { Claim, ClaimResponse } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { institutionSystem, medicalCategorySystem, schemeUrl, splitOf } from '../fhir/claim-message.ts'
import { dayAmountsOf, type DayRow } from '../fhir/clearing-message.ts'
import { addDays, startOfDay } from '../fhir/date-time.ts'
import type { InsurerDb } from '../storage/pool.ts'

const pieceRows = 2000

interface Event { at: string; message_id: string; kind: 'settle' | 'reverse'; content: string; response: string; reversal: string | null }

/** @param asked.day YYYY-MM-DD in the city. */
export async function* dayList(db: InsurerDb, ctx: Ctx, asked: { day: string; institution: string }): AsyncGenerator<DayRow> {
  const [from, until] = [startOfDay(asked.day), startOfDay(addDays(asked.day, 1))]
  let after: Event | undefined
  for (;;) {
    const { rows }: { rows: Event[] } = await sql<Event>`select * from (
        select received_at as at, message_id, 'settle' as kind, content, response, null as reversal from claim
        where policy is not null and client_id = ${ctx.principal.id} and received_at >= ${from} and received_at < ${until}
        union all
        select reversed_at, message_id, 'reverse', content, response, reversal from claim
        where policy is not null and state = 'reversed' and client_id = ${ctx.principal.id} and reversed_at >= ${from} and reversed_at < ${until}
      ) as event
      ${after ? sql`where (at, message_id, kind) > (${after.at}::timestamptz, ${after.message_id}, ${after.kind})` : sql``}
      order by at, message_id, kind limit ${pieceRows}`.execute(db)
    yield* rows.map(lineOf).filter((row): row is DayRow => row?.institution === asked.institution)
    after = rows.at(-1)
    if (rows.length < pieceRows) return
  }
}

/** Null for what moved no money: a refusal, and the reversal of one. */
function lineOf({ at, message_id, kind, content, response, reversal }: Event): DayRow | null {
  const claim = JSON.parse(content) as Claim
  const settled = JSON.parse(response) as ClaimResponse
  const decided = kind === 'settle' ? settled : JSON.parse(reversal ?? '{}') as ClaimResponse
  const split = splitOf(decided.total)
  if (!split || settled.outcome !== 'complete') return null
  return {
    messageId: message_id, kind, settlementId: decided.id ?? '', decidedAt: at, ...dayAmountsOf(split),
    institution: claim.provider?.identifier?.system === institutionSystem ? claim.provider.identifier.value ?? '' : '',
    medicalType: claim.type?.coding?.find((each) => each.system === medicalCategorySystem)?.code ?? '',
    scheme: settled.extension?.find((each) => each.url === schemeUrl)?.valueCoding?.code ?? '',
  }
}
