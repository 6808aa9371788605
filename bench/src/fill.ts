/** What is stored before anything is measured: patients and entries of theirs, sent over HTTP; the bare server gets the same rows in its own table. */
import postgres from 'postgres'
import { documentOf, type MixedType, mixedTypes, type Stored } from './benchmarks.ts'
import type { Servers } from './servers.ts'

const counts: Record<MixedType, number> = { Patient: 200, Observation: 5000, Condition: 1500, Encounter: 1000, MedicationRequest: 500 }
const perBundle = 500

export async function fill(servers: Servers): Promise<Stored> {
  const stored: Record<MixedType, string[]> = { Patient: [], Observation: [], Condition: [], Encounter: [], MedicationRequest: [] }
  // Patients first: the others are about them.
  for (const type of (Object.keys(mixedTypes) as MixedType[]).sort((a, b) => Number(b === 'Patient') - Number(a === 'Patient'))) {
    for (let from = 0; from < counts[type]; from += perBundle) {
      const entry = Array.from({ length: Math.min(perBundle, counts[type] - from) }, (_, i) => ({
        resource: documentOf(type, from + i, stored.Patient), request: { method: 'POST', url: type },
      }))
      stored[type].push(...await send(servers, entry))
    }
  }
  const sql = postgres(servers.databaseUrl, { max: 1, onnotice: () => {} })
  await sql`insert into bare_resource select * from resource`
  await sql`vacuum analyze`
  await sql.end()
  return stored
}

/** Ids of what a transaction made. */
async function send(servers: Servers, entry: unknown[]): Promise<string[]> {
  const answer = await fetch(`${servers.platform.url}/fhir`, {
    method: 'POST', headers: { Authorization: `Bearer ${servers.token}`, 'Content-Type': 'application/fhir+json' },
    body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }),
  })
  if (!answer.ok) throw new Error(`The platform answered ${answer.status}: ${(await answer.text()).slice(0, 500)}`)
  const { entry: made } = await answer.json() as { entry: { response: { location: string } }[] }
  return made.map(({ response }) => /[A-Z][A-Za-z]+\/([A-Za-z0-9\-.]+)/.exec(response.location)?.[1] ?? '')
}
