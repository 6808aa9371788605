/**
 * The access matrix over HTTP: every caller, situation and kind of access/matrix.ts against a running platform, one type of each kind, by every
 * interaction that reads (by id, version, history of the entry and of the store, search, count, chain, `_has`, reverse include, compartment, `$everything`, system
 * search, `$export`) and by every one that writes (create, update, patch, delete). Entries are written as in life: the labels come from what they
 * say, hidden ones are hidden and the hospital is kept out by Consent. matrix.test.ts has the types that have no entry here.
 */
import type { Resource } from '@medplum/fhirtypes'
import { beforeAll, describe, expect, test } from 'vitest'
import { callerNames, changeable, kindsIn, type MatrixCaller, readable, type RecordKind, recordKinds, type Situation, situationNames, situationsOf } from '../../src/access/matrix.ts'
import type { Principal } from '../../src/access/principal.ts'
import { makeCtx } from '../../src/ctx.ts'
import { keyOf } from '../../src/fhir/id.ts'
import { runExports } from '../../src/records/export/run-exports.ts'
import { agency, elsewhere, emergencyHospital, hospital, principalOf, recordOf, records, region, relate } from '../support/access-world.ts'
import { testPlatform } from '../support/platform.ts'
import { put } from '../support/visit.ts'

const platform = await testPlatform()
const { request, clock, db, services } = platform
/** Each group of a record has a kind here; the rules and their SQL twin are asked for every type in matrix.test.ts. */
const kinds = ['particulars', 'bookings', 'people', 'diagnoses', 'allergies', 'results', 'visits', 'notes', 'vaccinations', 'charges', 'bills', 'choices'] as const satisfies readonly RecordKind[]
type Kind = (typeof kinds)[number]
const typeOf = (kind: RecordKind): string => recordKinds[kind].types[0]
const entryId = (situation: Situation, kind: RecordKind) => (kind === 'particulars' ? recordOf(situation) : `${situation}-${kind}`)
const terminology = 'http://terminology.hl7.org/CodeSystem'
const text = { text: 'x' }

/** An entry of a kind, as little as is valid; bookings are entries too, but only the desk writes them. */
type Made = (subject: { reference: string }, from: { reference: string }, encounter: { reference: string }) => object
const smallest: Readonly<Record<Exclude<Kind, 'particulars'>, Made>> = {
  bookings: (actor, from) => ({ status: 'booked', start: '2026-11-23T01:00:00Z', end: '2026-11-23T01:15:00Z', participant: [{ actor, status: 'accepted' }], extension: [{ url: 'https://pujiang.health/fhir/StructureDefinition/organization', valueReference: from }] }),
  people: (subject, _, encounter) => ({ subject, encounter }), diagnoses: (subject, _, encounter) => ({ subject, encounter, code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: 'I10' }] } }),
  allergies: (patient, _, encounter) => ({ patient, encounter, clinicalStatus: { coding: [{ system: `${terminology}/allergyintolerance-clinical`, code: 'active' }] }, code: { text: '青霉素' } }),
  results: (subject, _, encounter) => ({ subject, encounter, status: 'final', category: [{ coding: [{ system: `${terminology}/observation-category`, code: 'laboratory' }] }], code: { coding: [{ system: 'http://loinc.org', code: '2339-0' }] } }),
  visits: (subject, serviceProvider) => ({ subject, serviceProvider, status: 'finished', class: { system: `${terminology}/v3-ActCode`, code: 'AMB' }, period: { start: '2026-11-20', end: '2026-11-20' } }),
  notes: (subject, _, encounter) => ({ subject, context: { encounter: [encounter] }, status: 'current', content: [{ attachment: { contentType: 'text/plain' } }] }),
  vaccinations: (patient, _, encounter) => ({ patient, encounter, status: 'completed', vaccineCode: text, occurrenceDateTime: '2026-10-01' }), charges: (subject, _, context) => ({ subject, context, status: 'billable', code: text }),
  bills: (patient, provider) => ({ patient, provider, status: 'active', type: { coding: [{ system: `${terminology}/claim-type`, code: 'institutional' }] }, use: 'claim', created: '2026-11-20', priority: text, insurance: [{ sequence: 1, focal: true, coverage: { display: 'x' } }] }),
  choices: (patient, organization) => ({ patient, organization: [organization], status: 'active', scope: text, category: [text], policyRule: text }),
}

/** Situations that differ over HTTP by what is written; the others differ by columns alone and are in matrix.test.ts. */
const asked: readonly Situation[] = ['own', 'related', 'elsewhere', 'unrelated', 'hidden', 'sensitive', 'barred', 'notifiable']

function entry(situation: Situation, kind: Kind, id: string | null = entryId(situation, kind)): Resource {
  const refer = (name: string) => ({ reference: name })
  return {
    resourceType: typeOf(kind), ...(id === null ? {} : { id }), ...(kind === 'particulars' ? { name: [{ text: '测试' }], gender: 'female' } : smallest[kind](refer(`Patient/${recordOf(situation)}`), refer(`Organization/${situation === 'related' ? hospital : elsewhere}`), refer(`Encounter/visit-${situation}`))),
    ...(situation === 'sensitive' ? { meta: { security: [{ system: `${terminology}/v3-ActCode`, code: 'PSY' }] } } : {}),
    ...(situation === 'notifiable' && kind === 'diagnoses' ? { code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: 'A15.0' }] } } : {}),
  } as unknown as Resource
}

/** Of the particulars there is one entry a patient: they are not hidden and carry no label. */
const kindsOf = (situation: Situation) => kinds.filter((kind) => kind !== 'particulars' || ['own', 'related', 'unrelated', 'barred'].includes(situation))
/** The situation that the patient of an entry is in. */
const ofPatient = (situation: Situation): Situation => (['elsewhere', 'hidden', 'sensitive'].includes(situation) ? 'related' : situation)
const reads = (caller: MatrixCaller, situation: Situation) => kindsIn(readable[caller], situation)

const choice = (category: string, id: string, record: string, provision: object) => ({
  resourceType: 'Consent', id, status: 'active', scope: text, category: [{ coding: [{ system: 'https://pujiang.health/fhir/CodeSystem/consent-category', code: category }] }],
  patient: { reference: `Patient/${record}` }, policyRule: text, provision: { type: 'deny', ...provision },
}) as unknown as Resource
const hiding = choice('hide', 'hide-them', records.related, { data: kindsOf('hidden').map((kind) => ({ meaning: 'instance', reference: { reference: `${typeOf(kind)}/${entryId('hidden', kind)}` } })) })

beforeAll(async () => {
  const organization = (id: string, partOf?: string): Resource => ({ resourceType: 'Organization', id, name: id, ...(partOf === undefined ? {} : { partOf: { reference: `Organization/${partOf}` } }) })
  await put(platform, organization(region), organization(hospital, region), ...[elsewhere, emergencyHospital, agency].map((id) => organization(id)))
  // Each entry's hospital is that of its visit.
  for (const situation of asked) await put(platform, ...kindsOf(situation).map((kind) => entry(situation, kind)), entry(situation, 'visits', `visit-${situation}`))
  for (const record of [records.related, records.barred]) {
    await put(platform, { resourceType: 'Coverage', id: `paid-${record}`, status: 'active', beneficiary: { reference: `Patient/${record}` }, payor: [{ reference: `Organization/${agency}` }] })
  }
  await relate(db, clock.now)
  await put(platform, hiding, choice('bar', 'bar-them', records.barred, { actor: [{ role: text, reference: { reference: `Organization/${hospital}` } }] }))
  await put(platform, {
    resourceType: 'Group', id: 'cohort', type: 'person', actual: true, member: [records.related, records.unrelated].map((record) => ({ entity: { reference: `Patient/${record}` } })),
    managingEntity: { reference: `Organization/${hospital}` },
  })
})

const names = (reply: Awaited<ReturnType<typeof request>>): Set<string> => new Set((reply.json?.entry ?? []).flatMap((each: { resource?: Resource }) => (each.resource ? [`${each.resource.resourceType}/${each.resource.id}`] : [])))
type Way = (as: Principal, type: string, id: string, record: string) => Promise<boolean>

/** Ways to read one entry; each says whether it showed. */
const ways: Readonly<Record<string, Way>> = {
  'read': async (as, type, id) => (await request('GET', `/fhir/${type}/${id}`, { as })).status === 200,
  'vread': async (as, type, id) => (await request('GET', `/fhir/${type}/${id}/_history/1`, { as })).status === 200,
  'history': async (as, type, id) => (await request('GET', `/fhir/${type}/${id}/_history`, { as })).status === 200,
  'search': async (as, type, id) => names(await request('GET', `/fhir/${type}?_id=${id}`, { as })).has(`${type}/${id}`),
  'total': async (as, type, id) => ((await request('GET', `/fhir/${type}?_id=${id}&_summary=count`, { as })).json?.total ?? 0) === 1,
}
const link = (type: string) => (type === 'Appointment' ? 'actor' : 'patient')
/** Ways that lead over the patient: they show an entry only to who sees the patient too. */
const patientWays: Readonly<Record<string, Way>> = {
  'reverse include': async (as, type, id, record) => names(await request('GET', `/fhir/Patient?_id=${record}&_revinclude=${type}:${link(type)}`, { as })).has(`${type}/${id}`),
  '_has': async (as, type, id) => names(await request('GET', `/fhir/Patient?_has:${type}:${link(type)}:_id=${id}`, { as })).size > 0,
  'chain': async (as, type, id, record) => names(await request('GET', `/fhir/${type}?_id=${id}&${link(type)}:Patient._id=${record}`, { as })).size > 0,
}
/** Answers about many entries at once. */
const many: Readonly<Record<string, (record: string) => string>> = {
  'compartment': (record) => `/fhir/Patient/${record}/*?_count=1000`,
  'everything': (record) => `/fhir/Patient/${record}/$everything?_count=1000`,
  'system search': () => `/fhir/?_count=1000&_type=${kinds.map(typeOf).join(',')}`,
  'system history': () => '/fhir/_history?_count=1000',
}

/** Who wrote an entry is in none of these, so the author is a clinician like others here; of those who see nothing one situation is enough. */
const blind: readonly MatrixCaller[] = ['admin-system', 'admin-security', 'admin-audit', 'anonymous']
const cells = callerNames.filter((caller) => caller !== 'author').flatMap((caller) => situationsOf(caller)
  .filter((situation) => asked.includes(situation) && (!blind.includes(caller) || situation === 'related') && (situation !== 'notifiable' || caller === 'public-health' || caller === 'clinician'))
  .map((situation) => [caller, situation] as const))

describe.each(cells)('%s, %s', (caller, situation) => {
  const as = principalOf(caller, situation)
  const record = recordOf(situation)
  const expected = reads(caller, situation)
  const thorough = ['own', 'related', 'hidden', 'barred'].includes(situation)
  const seesPatient = reads(caller, ofPatient(situation)).has('particulars')

  test('reads exactly what the table says, by every way', async () => {
    const seen: string[] = []
    const wanted: string[] = []
    const note = (list: string[], way: string, kind: Kind, shown: boolean) => { if (shown) list.push(`${kind} by ${way}`) }
    await Promise.all(kindsOf(situation).map(async (kind) => {
      const [type, id] = [typeOf(kind), entryId(situation, kind)]
      for (const [name, way] of Object.entries(ways)) {
        if (!thorough && name !== 'read' && name !== 'search') continue
        note(seen, name, kind, await way(as, type, id, record))
        note(wanted, name, kind, expected.has(kind))
      }
      if (kind === 'particulars' || !thorough) return
      for (const [name, way] of Object.entries(patientWays)) {
        note(seen, name, kind, await way(as, type, id, record))
        note(wanted, name, kind, seesPatient && expected.has(kind))
      }
    }))
    for (const [name, path] of Object.entries(many)) {
      const shown = names(await request('GET', path(record), { as }))
      for (const kind of kindsOf(situation)) {
        note(seen, name, kind, shown.has(`${typeOf(kind)}/${entryId(situation, kind)}`))
        note(wanted, name, kind, expected.has(kind) && (name !== 'everything' || seesPatient))
      }
    }
    expect(seen.sort()).toEqual(wanted.sort())
  })

  if (!['own', 'related', 'unrelated', 'hidden', 'barred'].includes(situation)) return
  test('writes exactly what the table says, by every way', async () => {
    const may = kindsIn(changeable[caller], situation)
    const wrong: string[] = []
    for (const kind of kindsOf(situation)) {
      const [type, id] = [typeOf(kind), entryId(situation, kind)]
      const path = `/fhir/${type}/${id}`
      const version = async () => (await db.selectFrom('resource').select('version').where('id', '=', keyOf(id)).executeTakeFirst())?.version ?? null
      const check = (way: string, status: number, done: boolean) => {
        // Where a domain's rule has a say, the table says only who is not asked at all.
        const allowed = may.has(kind) && !(way === 'create' && kind === 'particulars')
        if (done && !allowed) wrong.push(`${kind}: ${way} was done`)
        if (!done && allowed && !ruled.has(kind)) wrong.push(`${kind}: ${way} was refused with ${status}`)
        if (!done && !allowed && ![204, 401, 403, 404, 405].includes(status)) wrong.push(`${kind}: ${way} answered ${status}`)
      }
      const change = async (way: string, method: string, body?: unknown, headers: Record<string, string> = {}) => {
        const before = await version()
        const { status } = await request(method, path, { as, body, headers })
        check(way, status, await version() !== before)
      }
      await change('update', 'PUT', { ...entry(situation, kind), language: 'zh' })
      await change('patch', 'PATCH', JSON.stringify([{ op: 'add', path: '/implicitRules', value: 'http://example.com/rules' }]), { 'Content-Type': 'application/json-patch+json' })
      await change('delete', 'DELETE')
      if (await version() === null) await put(platform, entry(situation, kind), ...(situation === 'hidden' ? [hiding] : []))
      // What is new is not hidden.
      if (situation === 'hidden' || kind === 'particulars') continue
      const { status } = await request('POST', `/fhir/${type}`, { as, body: entry(situation, kind, null) })
      check('create', status, status === 201)
    }
    expect(wrong).toEqual([])
  })
})

/** Kinds that a domain's rule watches. */
const ruled: ReadonlySet<RecordKind> = new Set<RecordKind>(['bookings', 'charges', 'bills', 'choices', 'particulars'])

describe('$export', () => {
  const asynchronously = { Prefer: 'respond-async' }
  async function exported(as: Principal, path: string): Promise<Set<string>> {
    const accepted = await request('GET', `/fhir/${path}`, { as, headers: asynchronously })
    expect([path, accepted.status]).toEqual([path, 202])
    const address = (url: string) => url.replace(/^https?:\/\/[^/]+/, '')
    clock.now = new Date(clock.now.getTime() + 1000)
    while (await runExports(db, makeCtx(as, { now: clock.now }), services.store, { settleMilliseconds: 0 }) > 0);
    const status = await request('GET', address(accepted.headers.get('Content-Location') ?? ''), { as })
    const found = new Set<string>()
    for (const { url } of status.json.output as { url: string }[]) {
      for (const line of (await request('GET', address(url), { as })).text.split('\n').filter((each) => each !== '')) {
        const { resourceType, id } = JSON.parse(line) as Resource
        found.add(`${resourceType}/${id}`)
      }
    }
    return found
  }

  test.each(callerNames.filter((caller) => !['hospital-system', 'region-system', 'city-system'].includes(caller)))('is not for a %s', async (caller) => {
    for (const path of ['$export', 'Patient/$export', 'Group/cohort/$export']) {
      expect([path, (await request('GET', `/fhir/${path}`, { as: principalOf(caller, 'related'), headers: asynchronously })).status]).toEqual([path, caller === 'anonymous' ? 401 : 403])
    }
  })

  test.each(['hospital-system', 'region-system', 'city-system'] as const)('gives a %s exactly what the table says', async (caller) => {
    const as = principalOf(caller, 'related')
    const cohort: readonly Situation[] = ['related', 'elsewhere', 'unrelated', 'hidden', 'sensitive']
    for (const [path, within] of [['$export', situationNames], ['Patient/$export', situationNames], ['Group/cohort/$export', cohort]] as const) {
      const found = await exported(as, path)
      const wrong: string[] = []
      for (const situation of asked.filter((each) => each !== 'own' && each !== 'notifiable')) {
        for (const kind of kindsOf(situation)) {
          const name = `${typeOf(kind)}/${entryId(situation, kind)}`
          if (found.has(name) !== (within.includes(situation) && reads(caller, situation).has(kind))) wrong.push(`${path}: ${name} ${found.has(name)}`)
        }
      }
      expect(wrong).toEqual([])
    }
  })
})
