/**
 * Reads a page in the order of a token or a uri: one text after the other, in the order of the texts, and of each the rows that hold its key. So a page costs the rows between its
 * first and its last, and not all that match. Rows of a frequent text are walked along the index of the rest of the order (the clinical date, or keys); those of several rare
 * ones are found together and sorted. A row of several texts stands at the least of them. Rows without a text come last. Texts: search_text, which keeps those that nobody has any
 * more as well; they cost a look.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import type { ResourceType } from '../../fhir/resource-types.ts'
import { byKeys, type Criterion, type Wanted } from './criterion.ts'
import type { Planned } from './key-plan.ts'
import { isTextOrder, type SortKey, type TextOrder } from './page.ts'
import { readDates, type Reading, readRows, readSorted, type Row } from './read-page.ts'
import { expectedRows, type Partition, partitionOf } from './statistics.ts'

/** Texts that are read at once. */
const textsMax = 500
/** Rows that a sort of several texts reads at most, as far as the statistics know. */
const sortedMax = 2_000
/** What a text that the statistics don't list is taken to have at most: more would be listed in all but the largest stores. */
const unlistedMax = 200

/** The plan of the search, with another criterion besides. */
export type PlanBeside = (wanted: Wanted, beside: readonly Criterion[]) => Promise<Planned>

export interface ByText { type: ResourceType; ofType: RawBuilder<SqlBool>; planBeside: PlanBeside }

/** Texts that stand next to each other in the order, and the keys of the rows that hold them. */
interface Run { texts: readonly string[]; keys: readonly bigint[]; frequent: boolean }

/** What reads an order so: the text, and then nothing or the clinical date. */
export function isReadByText(keys: readonly SortKey[]): boolean {
  const [first, second, ...others] = keys
  return isTextOrder(first?.walk ?? null) && (second === undefined || second.walk === 'date') && others.length === 0
}

export async function readByText(reading: Reading, by: ByText): Promise<Row[]> {
  const { position, order, limit } = reading
  const [key] = order.keys as [SortKey]
  const at = position === null ? null : position.values[0] === null ? 'missing' : 'valued'
  const rows: Row[] = []
  for (const part of key.missingFirst ? ['missing', 'valued'] as const : ['valued', 'missing'] as const) {
    // A part that lies before the position.
    if (at !== null && at !== part && part === (key.missingFirst ? 'missing' : 'valued')) continue
    const rest = { ...reading, position: at === part ? position : null, limit: limit - rows.length }
    rows.push(...part === 'valued' ? await readTexts(rest, by) : await readMissing(rest, by))
    if (rows.length >= limit) break
  }
  return rows
}

async function readTexts(reading: Reading, by: ByText): Promise<Row[]> {
  const { db, order, position, limit } = reading
  const [key] = order.keys as [SortKey]
  const partition = await partitionOf(db, by.type)
  const rows: Row[] = []
  let from = position?.values[0] ?? null
  // The text of the position may have more rows.
  let behind = false
  let bound = limit * 2
  let runs = 0
  for (;;) {
    const texts = await textsBehind(reading, key, from, behind)
    const left = [...texts]
    while (left.length > 0) {
      const run = nextRun(left, partition, bound)
      rows.push(...await readRun({ ...reading, limit: limit - rows.length }, by, run))
      if (rows.length >= limit) return rows
      if (++runs >= runsMax) return [...rows, ...await readBeyond({ ...reading, limit: limit - rows.length }, by, run.texts.at(-1) as string)]
      bound = Math.min(bound * 2, sortedMax)
    }
    if (texts.length < textsMax) return rows
    from = texts.at(-1)?.text ?? null
    behind = true
  }
}

/** Where so many runs have not filled a page, texts with matches are seldom: all that are left are sorted. */
const runsMax = 12

async function readBeyond(reading: Reading, by: ByText, last: string): Promise<Row[]> {
  const [key] = reading.order.keys as [SortKey]
  const { conditions } = await by.planBeside('all', [])
  return readSorted({ ...reading, position: null, conditions, expected: null }, by.ofType, [key.descending ? sql<SqlBool>`${key.expression} < ${last}` : sql<SqlBool>`${key.expression} > ${last}`])
}

interface Text { text: string; keys: readonly bigint[] }

async function textsBehind({ db }: Reading, { walk, descending }: SortKey, from: string | null, behind: boolean): Promise<Text[]> {
  const { k } = walk as TextOrder
  const [direction, beyond] = descending ? [sql`desc`, sql`<`] : [sql`asc`, sql`>`]
  const { rows } = await sql<{ val: string; keys: string }>`select x.val collate "C" as val, array_agg(x.h)::text as keys from search_text x
    where x.k in (${sql.join(k.map((each) => sql`${String(each)}::bigint`))}) ${from === null ? sql`` : sql`and x.val collate "C" ${beyond}${behind ? sql`` : sql`=`} ${from}`}
    group by 1 order by 1 ${direction} limit ${textsMax}`.execute(db)
  return rows.map(({ val, keys }) => ({ text: val, keys: keys.slice(1, -1).split(',').map(BigInt) }))
}

/** Takes what is read next from the texts that are left: one that many rows hold, or as many as together have `bound` rows. */
function nextRun(left: Text[], partition: Partition | undefined, bound: number): Run {
  const run: Text[] = []
  let rows = 0
  for (;;) {
    const [next] = left
    if (next === undefined) break
    const listed = next.keys.some((key) => partition?.frequencies.has(String(key)))
    const expected = next.keys.reduce((sum, key) => sum + expectedRows(partition, key), 0)
    const counted = Math.max(1, listed ? expected : Math.min(expected, unlistedMax))
    if (run.length > 0 && rows + counted > bound) break
    run.push(next)
    left.shift()
    rows += counted
    if (rows >= bound) return { ...keysOf(run), frequent: run.length === 1 && listed }
  }
  return { ...keysOf(run), frequent: false }
}

function keysOf(run: readonly Text[]): Pick<Run, 'texts' | 'keys'> {
  return { texts: run.map(({ text }) => text), keys: run.flatMap(({ keys }) => keys) }
}

async function readRun(reading: Reading, by: ByText, { texts, keys, frequent }: Run): Promise<Row[]> {
  const { position, order, limit } = reading
  const [key, ...others] = order.keys as [SortKey, ...SortKey[]]
  const { few, conditions, since } = await by.planBeside(frequent ? limit : 'all', [byKeys(keys)])
  const [first, last] = [texts[0], texts.at(-1)] as [string, string]
  const [least, greatest] = key.descending ? [last, first] : [first, last]
  if (texts.length > 1) {
    return readSorted({ ...reading, conditions }, by.ofType, [sql<SqlBool>`${key.expression} >= ${least} and ${key.expression} <= ${greatest}`])
  }
  // All have the same text, so that the rest of the order is theirs.
  const alone: Reading = {
    ...reading, order: { keys: others, idDescending: order.idDescending }, conditions: (key.walk as TextOrder).once ? conditions : [...conditions, sql<SqlBool>`${key.expression} = ${first}`],
    position: position === null || position.values[0] !== first ? null : { ...position, values: position.values.slice(1) },
  }
  return readRest(alone, by, frequent && !few, since)
}

async function readMissing(reading: Reading, by: ByText): Promise<Row[]> {
  const { position, order, limit } = reading
  const [key, ...others] = order.keys as [SortKey, ...SortKey[]]
  const { few, conditions, since } = await by.planBeside(limit, [])
  const rest: Reading = {
    ...reading, order: { keys: others, idDescending: order.idDescending }, conditions: [...conditions, sql<SqlBool>`${key.expression} is null`],
    position: position && { ...position, values: position.values.slice(1) },
  }
  return readRest(rest, by, !few, since)
}

/** By the rest of the order. @param walks along its index, where there are many rows. */
async function readRest(reading: Reading, { ofType }: ByText, walks: boolean, since: string | null): Promise<Row[]> {
  if (!walks) return readSorted(reading, ofType)
  return reading.order.keys.length > 0 ? readDates(reading, since, ofType) : readRows({ ...reading, walked: true })
}
