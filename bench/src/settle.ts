/**
 * `npm run bench -- settle`: bills split in memory; pre-settlements at 64 connections with their 99th percentile, and settlements through HTTP (platform,
 * centre and database as processes of their own) beside their limit: the very rows that a settlement leaves on both sides, written by
 * postgres.js alone in as many transactions. Rounds alternate, the median counts. CPU time is of each process and call. Callers who never pause keep
 * every core busy, so that the time of a pre-settlement is then the work of all 64; what a cashier waits for is measured beside it, with
 * pre-settlements that arrive by themselves at a rate.
 */
import { inMemory } from './insurer-claims.ts'
import { drive, microsOf, type Order } from './measure.ts'
import { type City, directory, startCity, visits } from './settle-city.ts'
import { rowsOf, type TableRows, transactions, writeRows } from './settle-rows.ts'

const rounds = 3
const visitsPerRound = Number(process.env.BENCH_SETTLE_VISITS ?? 600)
const settleConnections = 16
const estimateConnections = 64
const estimateSeconds = 5
const warmUpSeconds = 4
/** Settlements before the first that counts: as long as the code is being compiled, it is that which is measured. */
const warmUpVisits = Number(process.env.BENCH_SETTLE_WARM_UP ?? 1000)
const memorySeconds = 2
/** Pre-settlements a second that arrive by themselves. A city of 24 million has some 0.8 million outpatient visits a day: with two bills each, an eighth of them in the busiest hour, 56 a second. */
const arrivals = [100, 200, 400]
const arrivalSeconds = 10

/** CPU microseconds of each process for one call; null where there is no /proc. */
interface Cost { platform: number; centre: number; postgres: number }
interface Side { perSecond: number; p50: number; p99: number; cost: Cost | null }

interface SettleOutcome { estimate: Side; settle: Side; limit: Side; ratio: number; arriving: Record<number, Side> }

export async function benchSettle(say: (line?: string) => void): Promise<SettleOutcome> {
  const memory = inMemory(memorySeconds)
  say(`adjudication in memory: ${Math.round(memory.perSecond).toLocaleString('en')} bills of 4 lines a second, ${memory.micros.toFixed(0)} µs of CPU each`)
  say('Starting a database, the platform and an insurance centre …')
  const city = await startCity(settleConnections)
  try {
    await directory(city)
    const open = await visits(city, visitsPerRound)
    const [sample = '', ...first] = await visits(city, warmUpVisits + 1)
    await load(city, [sample], 'claim')
    const rows = await rowsOf(city, sample)
    say(`A settlement leaves ${rows.reduce((sum, each) => sum + each.length, 0)} rows in ${transactions(rows).length} transactions.`)
    await drive(order(city, open, 'predetermination', { connections: estimateConnections, seconds: warmUpSeconds }))
    await load(city, first, 'claim')
    const sides: Record<'estimate' | 'settle' | 'limit', Side[]> = { estimate: [], settle: [], limit: [] }
    for (let round = 1; round <= rounds; round++) {
      const encounters = await visits(city, visitsPerRound)
      sides.estimate.push(await measured(city, () => drive(order(city, open, 'predetermination', { connections: estimateConnections, seconds: estimateSeconds, runUpSeconds: 1 }))))
      sides.limit.push(await measured(city, () => writeMany(city, rows, visitsPerRound * 2)))
      sides.settle.push(await measured(city, () => load(city, encounters, 'claim')))
      say(`round ${round}/${rounds}: ${sides.estimate.at(-1)?.perSecond.toFixed(0)} pre-settlements, ${sides.settle.at(-1)?.perSecond.toFixed(0)} settlements a second, limit ${sides.limit.at(-1)?.perSecond.toFixed(0)}`)
    }
    const arriving: SettleOutcome['arriving'] = {}
    for (const perSecond of arrivals) arriving[perSecond] = await measured(city, () => drive(order(city, open, 'predetermination', { connections: estimateConnections, seconds: arrivalSeconds, perSecond })))
    const [estimate, settle, limit] = [middle(sides.estimate), middle(sides.settle), middle(sides.limit)]
    const ratio = settle.perSecond / limit.perSecond
    for (const [name, side] of [['pre-settlement', estimate], ['settlement', settle], ['limit', limit]] as const) say(lineOf(name, side))
    for (const [perSecond, { p50, p99 }] of Object.entries(arriving)) say(`pre-settlement, ${perSecond} a second arriving: p50 ${p50} ms, p99 ${p99} ms`)
    say(`settlement: ${(ratio * 100).toFixed(0)} % of its limit; of its CPU ${percent(total(limit), total(settle))}`)
    return { estimate, settle, limit, ratio, arriving }
  } finally {
    await city.stop()
  }
}

function lineOf(name: string, { perSecond, p50, p99, cost }: Side): string {
  const cpu = cost ? `; CPU µs a call: platform ${cost.platform}, centre ${cost.centre}, PostgreSQL ${cost.postgres}` : ''
  return `${name.padEnd(15)} ${perSecond.toFixed(0)} a second, p50 ${p50} ms, p99 ${p99} ms${cpu}`
}

function total({ cost }: Side): number | null {
  return cost ? cost.platform + cost.centre + cost.postgres : null
}

function percent(part: number | null, whole: number | null): string {
  return part === null || whole === null || whole === 0 ? 'nothing is known' : `${((100 * part) / whole).toFixed(0)} % is the limit's`
}

function middle(sides: readonly Side[]): Side {
  const side = sides.toSorted((one, other) => one.perSecond - other.perSecond)[Math.floor(sides.length / 2)]
  if (!side) throw new Error('Nothing was measured.')
  return side
}

interface Done { requests: number; uncounted?: number; seconds: number; p50: number; p99: number; failed: number }

/** @throws Error when any call was refused: a figure with errors in it says nothing. */
async function measured({ pids }: City, work: () => Promise<Done>): Promise<Side> {
  const before = microsOf(pids)
  const { requests, uncounted = 0, seconds, p50, p99, failed } = await work()
  const after = microsOf(pids)
  if (failed > 0 || requests === 0) throw new Error(`${failed} calls failed, ${requests} succeeded.`)
  const each = (name: keyof Cost) => Math.round(((after?.[name] ?? 0) - (before?.[name] ?? 0)) / (requests + uncounted))
  return { perSecond: requests / seconds, p50, p99, cost: before && after ? { platform: each('platform'), centre: each('centre'), postgres: each('postgres') } : null }
}

function order({ url, token }: City, encounters: readonly string[], use: 'claim' | 'predetermination', how: Pick<Order, 'connections' | 'seconds' | 'amount' | 'perSecond' | 'runUpSeconds'>): Order {
  return {
    url, headers: { Authorization: `Bearer ${token}` }, ...how,
    requests: encounters.map((encounter) => ({
      method: 'POST', path: '/fhir/Claim/$submit',
      body: JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'encounter', valueReference: { reference: `Encounter/${encounter}` } }, { name: 'use', valueCode: use }] }),
    })),
  }
}

/** Each visit once. */
function load(city: City, encounters: readonly string[], use: 'claim'): Promise<Done> {
  return drive(order(city, encounters, use, { connections: Math.min(settleConnections, encounters.length), seconds: 0, amount: encounters.length }))
}

async function writeMany(city: City, rows: readonly TableRows[], count: number): Promise<Done> {
  const began = performance.now()
  const latencies: number[] = []
  let left = count
  await Promise.all(Array.from({ length: settleConnections }, async () => {
    while (left-- > 0) {
      const start = performance.now()
      await writeRows(city, rows)
      latencies.push(performance.now() - start)
    }
  }))
  latencies.sort((a, b) => a - b)
  const at = (part: number) => Math.round(latencies[Math.floor(latencies.length * part)] ?? 0)
  return { requests: count, seconds: (performance.now() - began) / 1000, p50: at(0.5), p99: at(0.99), failed: 0 }
}
