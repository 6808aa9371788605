/**
 * The catalogue of the place of treatment: class, first-pay ratio and price limit of each item by day. A claim says these terms
 * itself; where the region keeps a catalogue, an item it does not have or sees otherwise is refused before anything is decided.
 */
import { sql } from 'kysely'
import { type Issue, issue, OutcomeError } from '../fhir/outcome.ts'
import { textArray } from '../storage/array-literal.ts'
import { batched, perDatabase } from '../storage/batched.ts'
import type { InsurerDb, InsurerTrx } from '../storage/pool.ts'
import type { ClaimRequest } from './read-claim.ts'

/** @throws OutcomeError `charge-unknown`, `value-invalid` with every line at fault. */
export async function assertCatalogue(db: InsurerDb, request: Pick<ClaimRequest, 'lines' | 'begunOn'>): Promise<void> {
  const codes = [...new Set(request.lines.map((line) => line.code))]
  const { rows, kept } = await listedJoined(db, { codes, day: request.begunOn })
  if (!kept) return
  const known = new Map(rows.map((row) => [row.code, row]))
  const faults = request.lines.flatMap((line, index): Issue[] => {
    const row = known.get(line.code)
    const at = `Claim.item[${index}]`
    if (!row) return [issue('charge-unknown', { zh: `项目 ${line.code} 不在就医地医保目录中。`, en: `Item ${line.code} is not in the catalogue of the place of treatment.` }, `${at}.productOrService`)]
    const same = row.catalogue_class === line.catalogueClass && row.limit_fen === line.limitFen && (line.catalogueClass !== 'B' || row.first_pay_parts === line.firstPayParts)
    if (same) return []
    const limit = row.limit_fen === null ? { zh: '无限价', en: 'no price limit' } : { zh: `限价 ${Number(row.limit_fen) / 100} 元`, en: `price limit ¥${Number(row.limit_fen) / 100}` }
    return [issue('value-invalid', {
      zh: `项目 ${line.code} 的目录等级、先自付比例或限价与目录不一致：目录为 ${row.catalogue_class} 类、${row.first_pay_parts / 100}%、${limit.zh}。`,
      en: `Class, first-pay ratio or price limit of item ${line.code} differ from the catalogue, which says class ${row.catalogue_class}, ${row.first_pay_parts / 100} %, ${limit.en}.`,
    }, `${at}.extension`)]
  })
  if (faults.length > 0) throw new OutcomeError(faults)
}

interface Listed { code: string; catalogue_class: 'A' | 'B' | 'C'; first_pay_parts: number; limit_fen: bigint | null }
interface Asked { codes: string[]; day: string }
/** `kept` false: the region keeps no catalogue. */
interface Answer { rows: Listed[]; kept: boolean }

/** Claims that arrive together look their items up in one statement. */
const listedJoined = perDatabase((db: InsurerDb) => batched<Asked, Answer>({ max: 64, run: (asked) => listed(db, asked) }))

async function listed(db: InsurerDb, asked: readonly Asked[]): Promise<Answer[]> {
  const codes = [...new Set(asked.flatMap((each) => each.codes))]
  const { rows } = await sql<Listed & { from_date: string; until_date: string | null }>`
    select code, catalogue_class, first_pay_parts, limit_fen, from_date, until_date from catalogue_item where code = any(${textArray(codes)}::text[])`.execute(db)
  const kept = rows.length > 0 || (await sql`select 1 from catalogue_item limit 1`.execute(db)).rows.length > 0
  const found = Map.groupBy(rows, (row) => row.code)
  return asked.map((each) => ({
    kept, rows: each.codes.flatMap((code) => (found.get(code) ?? []).filter((row) => row.from_date <= each.day && (row.until_date === null || row.until_date >= each.day))),
  }))
}

export interface CatalogueItem { code: string; name: string; catalogueClass: 'A' | 'B' | 'C'; firstPayParts: number; limitFen: bigint | null; from: string }

const rowsMax = 1000

/** Takes items into the catalogue; one that is there already from the same day is left as it is. */
export async function insertCatalogue(trx: InsurerTrx, items: readonly CatalogueItem[]): Promise<void> {
  for (let start = 0; start < items.length; start += rowsMax) {
    await trx.insertInto('catalogue_item').values(items.slice(start, start + rowsMax).map((item) => ({
      code: item.code, name: item.name, catalogue_class: item.catalogueClass, first_pay_parts: item.firstPayParts, limit_fen: item.limitFen,
      from_date: item.from, until_date: null,
    }))).onConflict((conflict) => conflict.doNothing()).execute()
  }
}
