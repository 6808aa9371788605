/**
 * `npm run journal -- --from DAY --to DAY [--organization ID] [--format hledger|beancount]`: the settlement ledger as plain text on
 * standard output, for an accounting tool of one's own: `npm run --silent journal > books.journal && hledger -f books.journal check`.
 */
import { parseArgs } from 'node:util'
import { readConfig } from './config.ts'
import { withDatabases } from './databases.ts'
import { isDate } from './fhir/date-time.ts'
import { print } from './output.ts'
import { journal } from './settlement/journal.ts'
import { openDb } from './storage/pool.ts'

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { from: { type: 'string', default: '2020-01-01' }, to: { type: 'string', default: '2099-12-31' }, organization: { type: 'string' }, format: { type: 'string', default: 'hledger' } } })
  for (const name of ['from', 'to'] as const) if (!isDate(values[name]) || values[name].length !== 10) throw new Error(`--${name} must be a day such as 2026-11-23, not "${values[name]}".`)
  const { format: form } = values
  if (form !== 'hledger' && form !== 'beancount') throw new Error(`--format is hledger or beancount, not "${form}".`)
  const config = readConfig()
  await withDatabases(config, async ({ platform }) => {
    const db = openDb(platform, { max: 1, name: 'journal', statementTimeoutMs: 0 })
    try {
      for await (const piece of journal(db, { from: values.from, until: values.to, organizationId: values.organization ?? null, form })) {
        if (!await print(piece)) break
      }
    } finally {
      await db.destroy()
    }
  })
}

main().then(() => process.exit(0), (error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
