/**
 * The ledger as a plain-text journal that an independent accounting tool balances (`npm run journal`): each thing that happened is
 * one transaction of postings that sum to zero, in the form of hledger or beancount. Reads in pieces, so that any period fits.
 */
import { sql } from 'kysely'
import { addDays, dayInShanghai, startOfDay } from '../fhir/date-time.ts'
import { yuanText } from '../fhir/money.ts'
import type { Db } from '../storage/pool.ts'

export type JournalForm = 'hledger' | 'beancount'
export interface Posting { account: string; fen: bigint }
export interface JournalEntry { day: string; number: string; kind: string; organizationId: string; postings: Posting[] }

/** What our account names are called in a chart of accounts; the first part is one of the five that beancount knows. */
const chart: Record<string, readonly [hledger: string, beancount: string]> = {
  provider: ['income:hospital', 'Income:Hospital'],
  pool: ['assets:receivable:fund:pool', 'Assets:Receivable:Fund:Pool'],
  supplementary: ['assets:receivable:fund:supplementary', 'Assets:Receivable:Fund:Supplementary'],
  critical: ['assets:receivable:fund:critical', 'Assets:Receivable:Fund:Critical'],
  aid: ['assets:receivable:fund:aid', 'Assets:Receivable:Fund:Aid'],
  civilservant: ['assets:receivable:fund:civil-servant', 'Assets:Receivable:Fund:CivilServant'],
  enterprise: ['assets:receivable:fund:enterprise', 'Assets:Receivable:Fund:Enterprise'],
  other: ['assets:receivable:fund:other', 'Assets:Receivable:Fund:Other'],
  'account-current': ['assets:receivable:account:current', 'Assets:Receivable:Account:Current'],
  'account-prior': ['assets:receivable:account:prior', 'Assets:Receivable:Account:Prior'],
  'account-family': ['assets:receivable:account:family', 'Assets:Receivable:Account:Family'],
  cash: ['assets:receivable:patient', 'Assets:Receivable:Patient'],
  deposit: ['liabilities:deposit', 'Liabilities:Deposit'],
  'till-cash': ['assets:till:cash', 'Assets:Till:Cash'],
  'till-card': ['assets:till:card', 'Assets:Till:Card'],
  'till-difference': ['expenses:till-difference', 'Expenses:TillDifference'],
  fund: ['assets:receivable:fund:corrected', 'Assets:Receivable:Fund:Corrected'],
  account: ['assets:receivable:account:corrected', 'Assets:Receivable:Account:Corrected'],
  'clearing-310': ['assets:receivable:clearing:310', 'Assets:Receivable:Clearing:S310'],
  'clearing-390': ['assets:receivable:clearing:390', 'Assets:Receivable:Clearing:S390'],
  'clearing-deducted': ['expenses:clearing-deducted', 'Expenses:ClearingDeducted'],
  bank: ['assets:bank', 'Assets:Bank'],
  'till-mobile': ['assets:till:mobile', 'Assets:Till:Mobile'],
}

/** An account the chart does not name is kept under `other`, never dropped. */
export function accountName(account: string, form: JournalForm): string {
  const named = chart[account]
  if (named) return named[form === 'hledger' ? 0 : 1]
  return form === 'hledger' ? `assets:other:${account}` : `Assets:Other:${account.replaceAll(/[^A-Za-z0-9-]/g, '-').replace(/^./, (first) => first.toUpperCase())}`
}

export interface JournalAsked { from: string; until: string; organizationId: string | null; form: JournalForm }

/** The text, piece by piece; `until` is the last day. */
export async function* journal(db: Db, asked: JournalAsked): AsyncGenerator<string> {
  const { form } = asked
  if (form === 'beancount') {
    yield 'option "operating_currency" "CNY"\n'
    for (const account of new Set([...Object.keys(chart), ...await accountsUsed(db)])) yield `1970-01-01 open ${accountName(account, form)}\n`
    yield '\n'
  } else yield 'decimal-mark .\ncommodity 1000.00 CNY\n\n'
  for await (const entry of journalEntries(db, asked)) yield entryText(entry, form)
}

async function accountsUsed(db: Db): Promise<string[]> {
  const { rows } = await sql<{ account: string }>`select distinct account from ledger_entry cross join lateral (values (debit_account), (credit_account)) as side (account)`.execute(db)
  return rows.map(({ account }) => account)
}

const pieceRows = 5000

/** In the order of their booking. */
export async function* journalEntries(db: Db, { from, until, organizationId }: Pick<JournalAsked, 'from' | 'until' | 'organizationId'>): AsyncGenerator<JournalEntry> {
  let after: { at: string; attempt: string; out: boolean } | null = null
  for (;;) {
    const { rows }: { rows: Row[] } = await sql<Row>`select attempt, (credit_account = 'provider' or debit_account like 'till-%') as out, min(message_id) as message_id, min(organization_id) as organization_id, min(recorded_at) as at,
        array_agg(debit_account order by debit_account, credit_account) as debits, array_agg(credit_account order by debit_account, credit_account) as credits,
        array_agg(amount_fen::text order by debit_account, credit_account) as fens
      from ledger_entry where recorded_at >= ${startOfDay(from)} and recorded_at < ${startOfDay(addDays(until, 1))} ${organizationId === null ? sql`` : sql`and organization_id = ${organizationId}`}
      group by attempt, out ${after ? sql`having (min(recorded_at), attempt, (credit_account = 'provider' or debit_account like 'till-%')) > (${after.at}::timestamptz, ${after.attempt}::uuid, ${after.out})` : sql``}
      order by at, attempt, out limit ${pieceRows}`.execute(db)
    yield* rows.map(entryOf)
    const last = rows.at(-1)
    if (!last || rows.length < pieceRows) return
    after = { at: last.at, attempt: last.attempt, out: last.out }
  }
}

interface Row { attempt: string; out: boolean; message_id: string; organization_id: string; at: string; debits: string[]; credits: string[]; fens: string[] }

function entryOf(row: Row): JournalEntry {
  const sums = new Map<string, bigint>()
  const add = (account: string, fen: bigint) => { sums.set(account, (sums.get(account) ?? 0n) + fen) }
  for (const [index, fen] of row.fens.entries()) {
    add(row.debits[index] ?? '', BigInt(fen))
    add(row.credits[index] ?? '', -BigInt(fen))
  }
  const kind = row.debits.includes('provider') ? 'reversal' : row.credits.includes('provider') ? 'settlement' : 'payment'
  return { day: dayInShanghai(new Date(row.at)), number: row.message_id, kind, organizationId: row.organization_id, postings: [...sums].map(([account, fen]) => ({ account, fen })) }
}

/** @returns the text of one transaction. Pure. */
export function entryText({ day, number, kind, organizationId, postings }: JournalEntry, form: JournalForm): string {
  const head = form === 'hledger' ? `${day} (${number}) ${kind}  ; institution:${organizationId}` : `${day} * "${kind}" "${number} ${organizationId}"`
  const lines = postings.map(({ account, fen }) => `    ${accountName(account, form).padEnd(44)}  ${yuanText(fen).padStart(14)} CNY`)
  return `${head}\n${lines.join('\n')}\n\n`
}

/**
 * A checker of our own for where no accounting tool is: reads the text back and balances it. @returns what is wrong, and the
 * balance of each account in fen. Pure.
 */
export function balanceJournal(text: string): { faults: string[]; balances: Map<string, bigint>; transactions: number } {
  const faults: string[] = []
  const balances = new Map<string, bigint>()
  let transactions = 0
  let sum = 0n
  let head = ''
  const end = () => {
    if (head !== '' && sum !== 0n) faults.push(`${head} is out by ${sum} fen`)
    head = ''
    sum = 0n
  }
  for (const line of text.split('\n')) {
    const posting = /^ {4}(\S+)\s+(-?)(\d+)\.(\d\d) CNY$/.exec(line)
    if (posting) {
      const [, account = '', sign, yuan, fen] = posting
      const amount = BigInt(`${sign}${yuan}${fen}`)
      sum += amount
      balances.set(account, (balances.get(account) ?? 0n) + amount)
    } else if (/^\d{4}-\d\d-\d\d [(*]/.test(line)) {
      end()
      head = line
      transactions++
    } else if (line.startsWith(' ')) faults.push(`can not be read: ${line}`)
  }
  end()
  return { faults, balances, transactions }
}
