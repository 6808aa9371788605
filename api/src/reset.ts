/** `npm run reset`: empties the data folder after asking; `--yes` answers for scripts. */
import { existsSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { readConfig } from './config.ts'
import { stopPostgres } from './storage/postgres-server.ts'

const { dataDir } = readConfig()
if (!existsSync(dataDir)) {
  process.stdout.write(`${dataDir} is empty already.\n`)
  process.exit(0)
}
const terminal = createInterface({ input: process.stdin, output: process.stdout })
const answer = process.argv.includes('--yes') ? 'yes' : await terminal.question(`Delete everything in ${resolve(dataDir)}: all records, bookings, settlements? (yes/no) `)
terminal.close()
if (answer.trim().toLowerCase() !== 'yes') {
  process.stdout.write('Nothing was deleted.\n')
  process.exit(1)
}
stopPostgres(`${dataDir}/postgres`)
rmSync(dataDir, { recursive: true, force: true })
process.stdout.write('Done. The next start makes a new city.\n')
