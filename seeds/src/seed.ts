/**
 * `npm run seed -- --citizens N --days D --seed S`: makes the demo city or lets it grow, with a progress bar on a terminal and
 * plain lines elsewhere. `start` runs it with `--if-empty`: a city that is whole is left alone; and first with `--first F`, which stops
 * at F citizens and leaves the rest noted as wanted, for the run that goes on while people use the platform already.
 */
import { parseArgs } from 'node:util'
import { readConfig } from '@pujiang/api/config.ts'
import { monotonicMs, systemNow } from '@pujiang/api/ctx.ts'
import { openDb } from '@pujiang/api/storage/pool.ts'
import { readCityFact } from './load/city-fact.ts'
import { citizensMin, seedCity, type SeedResult } from './seed-city.ts'

const say = (line: string): void => { process.stdout.write(`${line}\n`) }
const seconds = (since: number): string => ((monotonicMs() - since) / 1000).toFixed(1)

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'database-url': { type: 'string' }, 'insurer-310000': { type: 'string' }, 'insurer-320500': { type: 'string' },
      citizens: { type: 'string', default: '2000' }, days: { type: 'string', default: '14' }, seed: { type: 'string', default: '1' }, 'if-empty': { type: 'boolean', default: false },
      first: { type: 'string' },
    },
  })
  const databaseUrl = required(values['database-url'], 'database-url')
  const citizens = whole(values.citizens, 'citizens', citizensMin, 10_000_000)
  const first = values.first === undefined ? citizens : whole(values.first, 'first', citizensMin, 10_000_000)
  const config = readConfig()
  if (values['if-empty'] && await isWhole(databaseUrl, first)) return
  const started = monotonicMs()
  const result = await seedCity({
    databaseUrl, insurerUrls: { '310000': required(values['insurer-310000'], 'insurer-310000'), '320500': required(values['insurer-320500'], 'insurer-320500') },
    citizens, first, days: whole(values.days, 'days', 1, 90), seed: whole(values.seed, 'seed', 0, 2_147_483_647),
    now: new Date(systemNow().getTime() + config.clockOffsetMs), accounts: !config.production, onProgress: progressBar(started),
  })
  summary(result, started)
}

/**
 * `--if-empty`: a city that no killed run left half-made is left as it is, and so is a database with other people's data.
 * @param first citizens that are enough for now.
 */
async function isWhole(databaseUrl: string, first: number): Promise<boolean> {
  const db = openDb(databaseUrl, { max: 1 })
  try {
    const fact = await readCityFact(db)
    if (fact === null) return await db.selectFrom('resource').select('id').limit(1).executeTakeFirst() !== undefined
    return fact.citizens >= Math.min(first, fact.wanted) && (fact.loading === null || fact.citizens >= first)
  } finally {
    await db.destroy()
  }
}

function required(value: string | undefined, name: string): string {
  if (!value) throw new Error(`--${name} is missing. (npm run seed gives the addresses of the databases by itself.)`)
  return value
}

function whole(text: string, name: string, min: number, max: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < min || value > max) throw new Error(`--${name} must be a whole number from ${min} to ${max}, not "${text}".`)
  return value
}

const barWidth = 30
/** Plain output says where it is each tenth of the way. */
const plainSteps = 10

function progressBar(started: number): (done: number, total: number) => void {
  let said = 0
  return (done, total) => {
    const share = total === 0 ? 1 : done / total
    if (process.stdout.isTTY) {
      const full = Math.round(share * barWidth)
      const left = share > 0 ? ((monotonicMs() - started) / 1000) * (1 / share - 1) : 0
      process.stdout.write(`\rDemo city  ${'█'.repeat(full)}${'░'.repeat(barWidth - full)} ${done}/${total} citizens, ${left.toFixed(0)} s left  `)
      if (done === total) process.stdout.write('\n')
    } else if (Math.floor(share * plainSteps) > said) {
      said = Math.floor(share * plainSteps)
      say(`Demo city: ${done} of ${total} citizens, ${seconds(started)} s`)
    }
  }
}

function summary(result: SeedResult, started: number): void {
  const { fact } = result
  if (result.citizensAdded === 0 && result.sessions === 0) {
    say(`The city of seed ${fact.seed} has ${fact.citizens} citizens already; nothing was added.`)
    return
  }
  const counts = [...result.resources].sort(([, one], [, other]) => other - one)
  const total = counts.reduce((sum, [, count]) => sum + count, 0)
  say(`The city of seed ${fact.seed}, founded ${fact.startDate}: ${fact.citizens} citizens, clinics for ${fact.days} days.`)
  for (const [type, count] of counts) say(`  ${type.padEnd(24)}${String(count).padStart(9)}`)
  say(`  ${'all resources'.padEnd(24)}${String(total).padStart(9)}`)
  say(`  ${'clinic half-days'.padEnd(24)}${String(result.sessions).padStart(9)}`)
  say(`  ${'places booked'.padEnd(24)}${String(result.bookings).padStart(9)}`)
  say(`Added in ${seconds(started)} s.`)
}

await main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
