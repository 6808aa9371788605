import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { loadModel } from '@pujiang/api/fhir/model.ts'
import { residentIdBirthDate, residentIdFault, residentIdSex } from '@pujiang/api/fhir/resident-id.ts'
import { shardOf } from '@pujiang/api/fhir/id.ts'
import { validateResource } from '@pujiang/api/records/validate.ts'
import { describe, expect, test } from 'vitest'
import { ageOn, dayOf, dayText } from './calendar.ts'
import { acuteIllnesses } from './data/acute-illnesses.ts'
import { chronicDiseases } from './data/chronic-diseases.ts'
import { districts } from './data/districts.ts'
import { analytes } from './data/labs.ts'
import { type City, directoryResources, planCity } from './directory/city.ts'
import type { Post } from './directory/doctors.ts'
import { priceList } from './directory/price-list.ts'
import { type Made, systems } from './fhir-elements.ts'
import { type Life, lifeOf } from './history/life.ts'
import { parentsOf, people } from './people/households.ts'

const startDate = '2026-11-23'

function cityOf(seed: number): City {
  return planCity(seed, dayOf(startDate))
}

function livesOf(city: City, citizens: number): Life[] {
  const lives: Life[] = []
  for (const person of people(city.seed, city.today)) {
    if (person.index >= citizens) break
    lives.push(lifeOf(city, person))
  }
  return lives
}

function hashOf(made: Iterable<Made>): string {
  const hash = createHash('sha256')
  for (const each of made) hash.update(JSON.stringify(each))
  return hash.digest('hex')
}

const city = cityOf(1)
const lives = livesOf(city, 300)
const directory = [...directoryResources(city)]
const records = lives.flatMap((life) => life.resources)
const everything = [...directory, ...records]

describe('the same seed', () => {
  test('gives the same city, byte for byte', () => {
    const again = cityOf(1)
    expect(hashOf([...directoryResources(again), ...livesOf(again, 60).flatMap((life) => life.resources)]))
      .toBe(hashOf([...directory, ...lives.slice(0, 60).flatMap((life) => life.resources)]))
  })

  test('gives other people when it is another one', () => {
    const other = cityOf(2)
    expect(livesOf(other, 40).slice(5).map((life) => life.person.residentId)).not.toEqual(lives.slice(5, 40).map((life) => life.person.residentId))
  })

  test('gives a citizen the same life however many citizens there are', () => {
    expect(hashOf(livesOf(cityOf(1), 120)[119]?.resources ?? [])).toBe(hashOf(lives[119]?.resources ?? []))
  })
})

describe('the directory', () => {
  test('has at least 36 hospitals and centres over all 16 districts, and 1,500 doctors', () => {
    expect(city.hospitals.length).toBeGreaterThanOrEqual(36)
    expect(new Set(city.hospitals.map((each) => each.district.code)).size).toBe(16)
    expect(new Set(city.hospitals.map((each) => each.name.zh)).size).toBe(city.hospitals.length)
    expect(city.staff.doctors).toHaveLength(1500)
    expect(directory.filter((each) => each.resourceType === 'Practitioner')).toHaveLength(1500)
    expect(districts.reduce((sum, each) => sum + each.share, 0)).toBe(1000)
  })

  test('has the demo doctors where the tour looks for them', () => {
    const demo = Object.fromEntries(city.staff.doctors.filter((each) => each.login).map((each) => [each.login, each]))
    expect(demo.doctor?.title).toBe('associate-chief')
    expect(demo.doctor?.posts.map((post: Post) => [post.hospital.level, post.department.code])).toEqual([[3, '03.04']])
    expect(demo.doctor?.posts[0]?.halfDays).toHaveLength(14)
    expect(demo.doctor2?.posts.map((post: Post) => post.department.code)).toEqual(['03.07', '03.07'])
    expect(demo.gp?.posts[0]?.hospital.kind).toBe('community')
  })

  test('never puts two doctors into one room at one time', () => {
    const uses = city.staff.doctors.flatMap((doctor) => doctor.posts.flatMap((post) => post.halfDays.map((each) => `${post.room.id} ${each.weekday} ${each.half}`)))
    expect(new Set(uses).size).toBe(uses.length)
  })

  test('has every department that an illness is treated in', () => {
    for (const disease of [...Object.values(chronicDiseases), ...acuteIllnesses]) expect([...city.byDepartment.keys()], disease.zh).toContain(disease.department)
  })

  test('has about 300 prices, each code once', () => {
    const codes = priceList().map((each) => each.code)
    expect(codes.length).toBeGreaterThanOrEqual(300)
    expect(new Set(codes).size).toBe(codes.length)
  })
})

describe('people', () => {
  test('have valid resident IDs of fictitious regions, each once, that agree with birth date and sex', () => {
    for (const { person } of lives) {
      expect(residentIdFault(person.residentId, { allowFictitiousRegion: true, today: startDate }), person.residentId).toBeNull()
      expect(person.residentId).toMatch(/^9999/)
      expect(residentIdBirthDate(person.residentId)).toBe(dayText(person.birth))
      expect(residentIdSex(person.residentId)).toBe(person.sex)
    }
    expect(new Set(lives.map(({ person }) => person.residentId)).size).toBe(lives.length)
  })

  test('live in plausible families', () => {
    for (const { person } of lives) {
      for (const parent of parentsOf(person)) {
        const years = (person.birth - parent.birth) / 365.25
        expect(years, `${parent.name.zh} and ${person.name.zh}`).toBeGreaterThanOrEqual(20)
        expect(years).toBeLessThanOrEqual(48)
      }
      if (person.kin === 'parent') expect((person.household.members[0]?.birth ?? 0) - person.birth).toBeGreaterThan(20 * 365)
      expect(ageOn(person.birth, city.today)).toBeLessThan(100)
    }
  })

  test('are mostly insured, some of them in the neighbouring city', () => {
    const regions = lives.map((life) => life.insurance?.region ?? 'none')
    expect(regions.filter((each) => each === '310000').length).toBeGreaterThan(250)
    expect(regions).toContain('320500')
  })
})

describe('records', () => {
  test('pass the structure check of the store', () => {
    const model = loadModel()
    for (const each of everything) {
      expect(validateResource(model, JSON.parse(JSON.stringify(each))).map((issue) => `${each.resourceType} ${issue.expression} ${issue.text.en}`)).toEqual([])
    }
  })

  test("use only codes that the platform's own code systems have", () => {
    const folder = new URL('../../fhir-profiles/pujiang/code-systems/', import.meta.url)
    const codes = new Map<string, Set<string>>([[systems.chargeItem, new Set(priceList().map((each) => each.code))]])
    for (const name of readdirSync(folder)) {
      const text = readFileSync(new URL(name, folder), 'utf8')
      const url = (JSON.parse(text) as { url: string }).url
      codes.set(url, new Set([...text.matchAll(/"code":\s*"([^"]+)"/g)].map((match) => match[1] ?? '')))
    }
    const unknown = new Set<string>()
    for (const [, system = '', code = ''] of JSON.stringify(everything).matchAll(/"system":"(https:\/\/pujiang[^"]+)","code":"([^"]+)"/g)) {
      if (!codes.get(system)?.has(code)) unknown.add(`${system} ${code}`)
    }
    expect([...unknown]).toEqual([])
  })

  test('refer only to what is in the city, and have an id of their own', () => {
    const there = new Set(everything.map((each) => `${each.resourceType}/${each.id}`))
    expect(there.size).toBe(everything.length)
    const missing = new Set<string>()
    for (const [reference] of JSON.stringify(everything).matchAll(/(?<="reference":")[A-Za-z]+\/[^"]+/g)) if (!there.has(reference)) missing.add(reference)
    expect([...missing]).toEqual([])
  })

  test("carry their patient's shard", () => {
    for (const life of lives.slice(0, 100)) {
      for (const each of life.resources) {
        const owner = /"(?:Patient)\/([^"]+)"/.exec(JSON.stringify(each))?.[1] ?? each.id
        expect(shardOf(each.id), each.resourceType).toBe(shardOf(owner))
      }
    }
  })

  test('end before today and begin after birth', () => {
    const tomorrow = dayText(city.today + 1)
    for (const each of records) {
      for (const name of ['effectiveDateTime', 'authoredOn', 'recordedDate', 'occurrenceDateTime', 'performedDateTime', 'onsetDateTime', 'abatementDateTime', 'issued']) {
        const value = each[name]
        if (typeof value === 'string') expect(value < tomorrow, `${each.resourceType}.${name} ${value}`).toBe(true)
      }
    }
    for (const life of lives) for (const visit of life.visits) expect(visit.day).toBeGreaterThanOrEqual(life.person.birth)
  })

  test('have values a living body can have', () => {
    const byLoinc = new Map(Object.values(analytes).map((each) => [each.loinc, each]))
    let seen = 0
    for (const each of records) {
      if (each.resourceType !== 'Observation' || each.valueQuantity === undefined) continue
      const loinc = (each.code as { coding: { code: string }[] }).coding[0]?.code ?? ''
      const value = (each.valueQuantity as { value: number }).value
      const analyte = byLoinc.get(loinc)
      expect(value).toBeGreaterThanOrEqual(analyte?.floor ?? Infinity)
      expect(value).toBeLessThanOrEqual(analyte?.ceiling ?? -Infinity)
      seen++
    }
    expect(seen).toBeGreaterThan(1000)
  })

  test('hang together: who has diabetes has a high HbA1c at diagnosis and a lower one under treatment', () => {
    const father = lives[3]
    const values = (father?.resources ?? []).filter((each) => each.resourceType === 'Observation' && JSON.stringify(each.code).includes('"4548-4"'))
      .map((each) => (each.valueQuantity as { value: number }).value)
    expect(values.length).toBeGreaterThan(3)
    expect(Math.min(...values)).toBeGreaterThan(6)
    expect(father?.illnesses.map((each) => each.name)).toContain('diabetes')
  })

  test('are about as many for each citizen as a city of this size can carry', () => {
    expect(records.length / lives.length).toBeGreaterThan(30)
    expect(records.length / lives.length).toBeLessThan(65)
  })
})
