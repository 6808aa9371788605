/**
 * `npm run what-if -- --policy FILE --from DAY --until DAY [--region 310000]`: what a new policy file would have made of the past claims of a
 * centre: each fund, each group of people, the people who would pay most more. FILE is JSON as policy-file.ts says, or a module
 * of insurer/policies. Reads only. The database is that of the region's centre: INSURER_310000_DATABASE_URL, the one
 * beside DATABASE_URL, or the one `npm start` keeps.
 */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readConfig } from './config.ts'
import { isRegion, regions, withDatabases } from './databases.ts'
import { isDate } from './fhir/date-time.ts'
import { yuanText } from './fhir/money.ts'
import { tryPolicy } from './insurer/office.ts'
import { policyFileOf, readPolicyFile } from './insurer/policy-file.ts'
import type { Policy } from './insurer/rules.ts'
import { print } from './output.ts'
import { openInsurerDb } from './storage/pool.ts'

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { policy: { type: 'string' }, from: { type: 'string' }, until: { type: 'string' }, region: { type: 'string', default: '310000' } } })
  const { policy: file, from = '', until = '', region } = values
  if (file === undefined) throw new Error('--policy FILE is missing.')
  for (const [name, day] of [['from', from], ['until', until]] as const) if (!isDate(day) || day.length !== 10) throw new Error(`--${name} must be a day such as 2026-06-30.`)
  if (!isRegion(region)) throw new Error(`--region is one of ${regions.join(', ')}, not "${region}".`)
  const policy = readPolicyFile(await contentOf(file))
  const config = readConfig()
  await withDatabases(config, async ({ insurers }) => {
    const db = openInsurerDb(insurers[region], { max: 1, name: 'what-if' })
    try {
      const answer = await tryPolicy(db, region, { policy, from, until })
      const fen = (amount: number) => yuanText(BigInt(amount)).padStart(16)
      const line = (name: string, was: number, becomes: number) => `${name.padEnd(28)}${fen(was)}${fen(becomes)}${fen(becomes - was)}\n`
      await print(`${policy.id}: ${answer.claims} claims of ${answer.people} people, ${answer.changedClaims} change${answer.cut ? '; more claims than were looked at' : ''}\n`)
      await print(`${''.padEnd(28)}${'was'.padStart(16)}${'becomes'.padStart(16)}${'difference'.padStart(16)}\n`)
      for (const each of answer.parts) await print(line(each.category, each.wasFen, each.becomesFen))
      for (const each of answer.groups) await print(line(`${each.personType} (${each.people}) pay`, each.cashWasFen, each.cashBecomesFen))
      for (const each of answer.largest) await print(line(each.messageId, each.cashWasFen, each.cashBecomesFen))
    } finally {
      await db.destroy()
    }
  })
}

async function contentOf(file: string): Promise<unknown> {
  const path = resolve(file)
  if (path.endsWith('.ts')) {
    const { policy } = await import(path) as { policy?: Policy }
    if (policy === undefined) throw new Error(`${file} has no policy: a module exports it by that name.`)
    return policyFileOf(policy)
  }
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(error.code === 'ENOENT' ? `There is no file ${file}.` : `${file} can't be read: ${error.message}`, { cause: error })
  })
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new Error(`${file} is not JSON: ${(error as Error).message}`, { cause: error })
  }
}

main().then(() => process.exit(0), (error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
