/**
 * Searches that name several patients, in the order of the clinical date: each page from either end against a plain loop, for lists of any length (those
 * that are read side by side and longer ones), patients named twice or not there, equal dates and none, another condition, and by a chain,
 * which without an order shows one patient after the other. And patients by what refers to them, in the order of their keys.
 */
import type { Observation, Patient } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import { makeCtx } from '../src/ctx.ts'
import { keyOf } from '../src/fhir/id.ts'
import { bulkLoad } from '../src/records/bulk-load.ts'
import { search } from '../src/records/search/search.ts'
import { connect } from '../src/storage/pool.ts'
import { system, testPlatform } from './support/platform.ts'

const { db, url, services, clock } = await testPlatform()
const ctx = makeCtx(system, { now: clock.now })
const seed = Number(process.env.TEST_SEED ?? 20261127)
const patients = Array.from({ length: 30 }, (_, n) => `p${n}`)

interface Entry { id: string; patient: string; code: string; day: number | null; status: 'final' | 'amended' }
const entries: Entry[] = []

/** Patients of a family by threes. */
const familyOf = (patient: string) => `F${Math.floor(Number(patient.slice(1)) / 3)}x`

beforeAll(async () => {
  let state = seed
  const random = (of: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * of)
  }
  for (let n = 0; n < 900; n++) entries.push({ id: `o${n}`, patient: `p${random(patients.length)}`, code: `c${Math.floor(random(2500) ** 0.5)}`, day: random(10) === 0 ? null : random(60), status: random(4) === 0 ? 'amended' : 'final' })
  const sink = connect(url, { max: 3 })
  await bulkLoad(sink, services.store, [
    ...patients.map((id): Patient & { id: string } => ({ resourceType: 'Patient', id, name: [{ family: familyOf(id) }], gender: Number(id.slice(1)) % 2 ? 'male' : 'female', birthDate: String(1950 + Number(id.slice(1))) })),
    // Of whom nothing is known: among so many, thirty are few.
    ...Array.from({ length: 600 }, (_, n): Patient & { id: string } => ({ resourceType: 'Patient', id: `q${n}`, birthDate: '1900' })),
    ...entries.map(({ id, patient, code, day, status }): Observation & { id: string } => ({
      resourceType: 'Observation', id, status, code: { coding: [{ code }] }, subject: { reference: `Patient/${patient}` },
      ...(day === null ? {} : { effectiveDateTime: new Date(Date.UTC(2025, 0, 1 + day)).toISOString() }),
    })),
  ], clock.now)
  await sink.end()
  await sql`vacuum analyze resource`.execute(db)
})

const asked = fc.record({
  named: fc.array(fc.constantFrom(...patients, 'p0', 'nobody'), { minLength: 1, maxLength: 26 }), family: fc.option(fc.integer({ min: 0, max: 9 }), { freq: 4 }), from: fc.option(fc.integer({ min: 0, max: 29 })),
  order: fc.constantFrom('', '-date', 'date'), status: fc.constantFrom(null, 'final', 'amended'), count: fc.constantFrom(3, 7, 40, 1000),
})

test('each page from either end is what a plain loop finds', async () => {
  let found = 0
  await fc.assert(fc.asyncProperty(asked, async ({ named, family, from, order, status, count }) => {
    // From few patients to all.
    const who = from !== null ? `patient.birthdate=ge${1950 + from}` : family === null ? `patient=${named.join(',')}` : `patient.family=F${family}x`
    const page = (params: URLSearchParams) => search(db, ctx, services.store, 'Observation', params)
    const pages = [await page(new URLSearchParams(`${who}&_count=${count}${order === '' ? '' : `&_sort=${order}`}${status === null ? '' : `&status=${status}`}`))]
    for (let next = pages[0]?.next ?? null; next !== null; next = pages.at(-1)?.next ?? null) pages.push(await page(next))
    const back = [pages.at(-1) as (typeof pages)[number]]
    for (let previous = back[0]?.previous ?? null; previous !== null; previous = back[0]?.previous ?? null) back.unshift(await page(previous))
    const ids = (all: typeof pages) => all.flatMap((each) => each.matches.map(({ id }) => id))
    const wanted = (patient: string) => (from !== null ? Number(patient.slice(1)) >= from : family === null ? named.includes(patient) : familyOf(patient) === `F${family}x`)
    // What has no date is first where the newest is, and last where the oldest is; equal dates lie by key.
    const byPatient = family !== null && order === ''
    const before = (one: Entry, other: Entry) => (byPatient && one.patient !== other.patient ? keyOf(one.patient) < keyOf(other.patient) : (one.day ?? 1000) !== (other.day ?? 1000) ? (one.day ?? 1000) > (other.day ?? 1000) : keyOf(one.id) < keyOf(other.id))
    const expected = entries.filter((each) => wanted(each.patient) && (status === null || each.status === status))
      .sort((one, other) => (before(one, other) === (order !== 'date') ? -1 : 1)).map(({ id }) => id)
    // Of many patients the server begins with them or with what else is asked, and the order is its own.
    const sorted = (all: string[]) => (from !== null && order === '' ? all.toSorted() : all)
    expect(sorted(ids(pages))).toEqual(sorted(expected))
    expect(ids(back)).toEqual(ids(pages))
    found += expected.length
  }), { seed, numRuns: 200 })
  expect(found).toBeGreaterThan(10_000)
}, 180_000)

test('patients by what refers to them: each page from either end is what a plain loop finds', async () => {
  let found = 0
  const wanted = fc.record({ code: fc.integer({ min: 0, max: 50 }), status: fc.constantFrom(null, 'amended'), gender: fc.constantFrom(null, 'male'), count: fc.constantFrom(1, 2, 5, 100) })
  await fc.assert(fc.asyncProperty(wanted, async ({ code, status, gender, count }) => {
    const page = (params: URLSearchParams) => search(db, ctx, services.store, 'Patient', params)
    const text = [`_has:Observation:patient:code=c${code}`, `_count=${count}`, ...(status === null ? [] : [`_has:Observation:patient:status=${status}`]), ...(gender === null ? [] : [`gender=${gender}`])].join('&')
    const pages = [await page(new URLSearchParams(text))]
    for (let next = pages[0]?.next ?? null; next !== null; next = pages.at(-1)?.next ?? null) pages.push(await page(next))
    const back = [pages.at(-1) as (typeof pages)[number]]
    for (let previous = back[0]?.previous ?? null; previous !== null; previous = back[0]?.previous ?? null) back.unshift(await page(previous))
    const ids = (all: typeof pages) => all.flatMap((each) => each.matches.map(({ id }) => id))
    const has = (id: string, fits: (entry: Entry) => boolean) => entries.some((each) => each.patient === id && fits(each))
    const expected = patients.filter((id) => has(id, (each) => each.code === `c${code}`) && (status === null || has(id, (each) => each.status === status)) && (gender === null || Number(id.slice(1)) % 2 === 1))
      .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
    expect(ids(pages)).toEqual(expected)
    expect(ids(back)).toEqual(expected)
    const counted = await page(new URLSearchParams(`${text}&_total=accurate`))
    expect(counted.total).toBe(expected.length)
    const sorted = await page(new URLSearchParams(`${text}&_sort=-_id&_count=100`))
    expect(sorted.matches.map(({ id }) => id).sort()).toEqual([...expected].sort())
    found += expected.length
  }), { seed, numRuns: 80 })
  expect(found).toBeGreaterThan(300)
}, 120_000)

test('a chain that finds many more patients by the next page goes on where the page before ended, and back', async () => {
  const page = (params: URLSearchParams) => search(db, ctx, services.store, 'Observation', params)
  const patientOf = (n: number): Patient & { id: string } => ({ resourceType: 'Patient', id: `g${n}`, name: [{ family: 'Growing' }] })
  const ofPatient = (n: number) => [0, 1, 2].map((day): Observation & { id: string } => ({
    resourceType: 'Observation', id: `g${n}-${day}`, status: 'final', code: { text: 'x' }, subject: { reference: `Patient/g${n}` }, effectiveDateTime: `2025-03-0${day + 1}`,
  }))
  const load = async (from: number, until: number) => {
    const numbers = Array.from({ length: until - from }, (_, n) => from + n)
    const sink = connect(url, { max: 1 })
    await bulkLoad(sink, services.store, [...numbers.map(patientOf), ...numbers.flatMap(ofPatient)], clock.now)
    await sink.end()
  }
  await load(0, 3)
  const pages = [await page(new URLSearchParams('patient.family=Growing&_count=2'))]
  await load(3, 40)
  for (let next = pages[0]?.next ?? null; next !== null; next = pages.at(-1)?.next ?? null) pages.push(await page(next))
  const shown = pages.flatMap((each) => each.matches.map(({ id }) => id))
  const all = Array.from({ length: 40 }, (_, n) => n).sort((one, other) => (keyOf(`g${one}`) < keyOf(`g${other}`) ? -1 : 1)).flatMap((n) => [2, 1, 0].map((day) => `g${n}-${day}`))
  // What came to patients before the place where the page ended is on no page behind it.
  expect(shown).toEqual([...shown.slice(0, 2), ...all.slice(all.indexOf(shown[1] as string) + 1)])
  const back = [pages.at(-1) as (typeof pages)[number]]
  for (let previous = back[0]?.previous ?? null; previous !== null; previous = back[0]?.previous ?? null) back.unshift(await page(previous))
  expect(back.flatMap((each) => each.matches.map(({ id }) => id))).toEqual(all)
})
