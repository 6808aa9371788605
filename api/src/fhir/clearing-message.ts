/**
 * What travels between a platform and a centre beside claims: the list of a day (3202 of the national interface), the clearing
 * of a month (3203) and the filing of a person treated away from home (2501). Described in docs/settlement.md, § Days, months
 * and filings on the wire. The day list is text, one settlement or reversal a line, so that a million of them stream through
 * without being held; its last line says how many there were, so that a broken transfer is seen.
 */
import { fundOf, type Split } from './claim-message.ts'

const base = 'https://pujiang.health/fhir'

/** Number a centre gives to the clearing of a month. */
export const clearingNumberSystem = `${base}/sid/clearing-number`
/** On a PaymentReconciliation of a month: `valueCode`, one of `clearingStates`. */
export const clearingStateUrl = `${base}/StructureDefinition/clearing-state`
/** `applied`: waits; `approved`: will be paid, perhaps less a deduction; `paid`; `refused`: the sums differ. */
export const clearingStates = ['applied', 'approved', 'paid', 'refused'] as const
export type ClearingState = (typeof clearingStates)[number]

/** `Task.code` of a filing (备案): `long-term`, `referred`, `emergency`, `temporary`. */
export const filingTypeSystem = `${base}/CodeSystem/filing-type`
export const filingTypes = ['long-term', 'referred', 'emergency', 'temporary'] as const
export type FilingType = (typeof filingTypes)[number]
/** Number the centre of the insured place gives to a filing. */
export const filingNumberSystem = `${base}/sid/filing-number`

export const dayListType = 'text/tab-separated-values; charset=utf-8'

/** One settlement or reversal as the day list has it. Amounts are fen, negative for a reversal; they sum to the total. */
export interface DayRow {
  messageId: string
  kind: 'settle' | 'reverse'
  /** Id of the ClaimResponse that decided it at the centre. */
  settlementId: string
  scheme: string
  medicalType: string
  /** Institution code. */
  institution: string
  /** When the centre decided it. */
  decidedAt: string
  totalFen: bigint
  fundFen: bigint
  accountFen: bigint
  cashFen: bigint
}

const columns = ['messageId', 'kind', 'settlementId', 'scheme', 'medicalType', 'institution', 'decidedAt', 'totalFen', 'fundFen', 'accountFen', 'cashFen'] as const satisfies readonly (keyof DayRow)[]
const endMark = '#end'

/** The amounts of a day row. What the account of a relative pays counts with the account. */
export function dayAmountsOf(split: Split): Pick<DayRow, 'totalFen' | 'fundFen' | 'accountFen' | 'cashFen'> {
  return {
    totalFen: split.submitted, fundFen: fundOf(split), accountFen: split['account-current'] + split['account-prior'] + split['account-family'], cashFen: split.cash,
  }
}

/** The text of a list, piece by piece. */
export async function* dayListText(rows: AsyncIterable<DayRow> | Iterable<DayRow>): AsyncGenerator<string> {
  yield `${columns.join('\t')}\n`
  let count = 0
  let totalFen = 0n
  for await (const row of rows) {
    count++
    totalFen += row.totalFen
    yield `${columns.map((column) => String(row[column])).join('\t')}\n`
  }
  yield `${endMark}\t${count}\t${totalFen}\n`
}

/**
 * Rows of a list as its text comes in, in any pieces.
 * @throws Error when a line can't be read, the end is missing or does not fit what came before.
 */
export async function* readDayList(pieces: AsyncIterable<string>): AsyncGenerator<DayRow> {
  let rest = ''
  let line = 0
  let count = 0
  let totalFen = 0n
  let ended = false
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines) {
      line++
      if (ended) throw new Error('Something follows the end of the list.')
      if (line === 1) {
        if (text !== columns.join('\t')) throw new Error('The columns of the list are not those agreed.')
      } else if (text.startsWith(endMark)) {
        if (text !== `${endMark}\t${count}\t${totalFen}`) throw new Error('The list does not add up to its last line.')
        ended = true
      } else {
        const row = rowOf(text, line)
        count++
        totalFen += row.totalFen
        yield row
      }
    }
  }
  if (!ended || rest !== '') throw new Error('The list breaks off before its end.')
}

/** What the last line of a list says of it. */
export interface DayListEnd { count: bigint; totalFen: bigint }

/**
 * The settlements of a list as text, whole lines in any pieces, for whoever reads them by other means; into `end` goes what the last line
 * says, which the reader compares with what it read. The lines themselves are not looked at.
 * @throws Error when the columns are not those agreed, the end is missing or something follows it.
 */
export async function* dayListLines(pieces: AsyncIterable<string>, end: DayListEnd): AsyncGenerator<string> {
  let rest = ''
  let begun = false
  let ended = false
  for await (const piece of pieces) {
    let text = rest + piece
    if (ended && text !== '') throw new Error('Something follows the end of the list.')
    const whole = text.lastIndexOf('\n') + 1
    rest = text.slice(whole)
    text = text.slice(0, whole)
    if (!begun && text !== '') {
      const header = `${columns.join('\t')}\n`
      if (!text.startsWith(header)) throw new Error('The columns of the list are not those agreed.')
      text = text.slice(header.length)
      begun = true
    }
    const at = text.startsWith(endMark) ? 0 : text.indexOf(`\n${endMark}`) + 1
    if (at > 0 || text.startsWith(endMark)) {
      const [, count, totalFen] = /^#end\t(\d{1,15})\t(-?\d{1,18})\n$/.exec(text.slice(at)) ?? []
      if (count === undefined || totalFen === undefined || rest !== '') throw new Error('Something follows the end of the list, or it can\'t be read.')
      Object.assign(end, { count: BigInt(count), totalFen: BigInt(totalFen) } satisfies DayListEnd)
      ended = true
      text = text.slice(0, at)
    }
    if (text !== '') yield text
  }
  if (!ended || rest !== '') throw new Error('The list breaks off before its end.')
}

function rowOf(text: string, line: number): DayRow {
  const cells = text.split('\t')
  const [messageId = '', kind = '', settlementId = '', scheme = '', medicalType = '', institution = '', decidedAt = '', ...amounts] = cells
  const [totalFen = 0n, fundFen = 0n, accountFen = 0n, cashFen = 0n] = amounts.map((each) => (/^-?\d{1,15}$/.test(each) ? BigInt(each) : null)).filter((each) => each !== null)
  const whole = cells.length === columns.length && amounts.every((each) => /^-?\d{1,15}$/.test(each))
  if (!whole || messageId === '' || (kind !== 'settle' && kind !== 'reverse') || !Number.isFinite(Date.parse(decidedAt)) || totalFen !== fundFen + accountFen + cashFen) {
    throw new Error(`Line ${line} of the list can't be read.`)
  }
  return { messageId, kind, settlementId, scheme, medicalType, institution, decidedAt, totalFen, fundFen, accountFen, cashFen }
}
