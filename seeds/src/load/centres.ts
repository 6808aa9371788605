/**
 * What the two insurance centres know of the demo city, in their own databases: people with their enrolment, the filings of those
 * insured in Suzhou who live here and of a few people of Shanghai who are treated in Suzhou, and each region's catalogue. What is there already stays as it is.
 */
import { type CatalogueItem, insertCatalogue } from '@pujiang/api/insurer/catalogue.ts'
import { insertEnrolments } from '@pujiang/api/insurer/enrolment.ts'
import { insertFilings } from '@pujiang/api/insurer/filings.ts'
import { openInsurerDb } from '@pujiang/api/storage/pool.ts'
import { inTransaction } from '@pujiang/api/storage/transaction.ts'
import { type Day, dayText } from '../calendar.ts'
import { priceList } from '../directory/price-list.ts'
import type { Life } from '../history/life.ts'
import { enrolmentOf, type Region } from '../people/insurance.ts'

type Urls = Readonly<Record<Region, string>>
const regions = ['310000', '320500'] as const satisfies readonly Region[]
/** Of those insured in Suzhou every third has not filed. */
const unfiledEvery = 3
const daysFiled = 200
/** Every so manieth person of Shanghai has filed treatment in Suzhou: the retired for good, others as referred or for a while. */
const awayEvery = 12
const awayKinds = ['referred', 'temporary', 'emergency'] as const
const daysOfHalfYear = 182

export async function enrolAtCentres(urls: Urls, lives: readonly Life[], today: Day): Promise<void> {
  for (const region of regions) {
    const own = lives.flatMap(({ person, insurance }) => (insurance?.region === region ? [{ person, insurance }] : []))
    const filings = region === '310000' ? filedAway(own, today) : own.filter(({ person }) => person.index % unfiledEvery !== 0).map(({ person, insurance }) => ({
      id: `filing-${region}-${person.index}`, psnNo: insurance.psnNo, kind: 'long-term' as const, region: '310000', from: dayText(today - daysFiled),
    }))
    const db = openInsurerDb(urls[region], { max: 1, name: 'pujiang-seed', statementTimeoutMs: 0 })
    await inTransaction(db, async (trx) => {
      await insertEnrolments(trx, own.map(({ person, insurance }) => enrolmentOf(person, insurance)))
      await insertFilings(trx, filings, today * 86_400_000)
    }).finally(() => db.destroy())
  }
}

type Own = readonly { person: Life['person']; insurance: NonNullable<Life['insurance']> }[]

function filedAway(own: Own, today: Day) {
  return own.filter(({ person }) => person.index % awayEvery === 5).map(({ person, insurance }) => {
    const from = today - (person.index * 7) % daysFiled
    const about = { id: `filing-310000-${person.index}`, psnNo: insurance.psnNo, region: '320500', from: dayText(from) }
    return insurance.personType === 12
      ? { ...about, kind: 'long-term' as const } : { ...about, kind: awayKinds[Math.floor(person.index / awayEvery) % awayKinds.length] ?? 'temporary', until: dayText(from + daysOfHalfYear) }
  })
}

/** The price list as each region sees it: drugs of class B cost half the first-pay share in Suzhou. */
export async function loadCatalogues(urls: Urls): Promise<void> {
  for (const region of regions) {
    const items = priceList().map((item): CatalogueItem => ({
      code: item.code, name: item.zh, catalogueClass: item.catalogueClass, limitFen: item.limitFen === null ? null : BigInt(item.limitFen), from: '2020-01-01',
      firstPayParts: Math.round(item.firstPayRatio * 10_000 * (region === '320500' && item.kind === 'drug' ? 0.5 : 1)),
    }))
    const db = openInsurerDb(urls[region], { max: 1, name: 'pujiang-seed', statementTimeoutMs: 0 })
    await inTransaction(db, (trx) => insertCatalogue(trx, items)).finally(() => db.destroy())
  }
}
