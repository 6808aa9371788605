/**
 * Somebody named by a document and a name: both must fit, and who does not exist and who does not fit are the same to whoever asks.
 * Documents: system and value as in Patient.identifier; names are compared without blanks and dots.
 */
import type { HumanName, Patient } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { typeCode } from '../fhir/resource-types.ts'
import type { Trx } from '../storage/pool.ts'
import { tokenKey } from './search/keys.ts'

/** @returns the Patient's id; null when there is none, or more than one. */
export async function personByDocument(trx: Trx, system: string, document: string, name: string): Promise<string | null> {
  const value = document.normalize('NFKC').replace(/[\s-]/g, '').toUpperCase()
  const key = tokenKey('Patient', 'identifier', system, value)
  const { rows } = await sql<{ content: string }>`select r.content from resource r where r.t = ${sql.raw(String(typeCode('Patient')))} and r.keys @> ${`{${key}}`}::bigint[] limit 2`.execute(trx)
  const found = rows.length === 1 ? JSON.parse(rows[0]?.content ?? '') as Patient & { id: string } : null
  return found !== null && namesOf(found.name).includes(plainName(name)) ? found.id : null
}

/** Names as they are compared. */
export function namesOf(name: readonly HumanName[] | undefined): string[] {
  return (name ?? []).map((each) => plainName(each.text ?? [each.family, ...each.given ?? []].filter(Boolean).join('')))
}

function plainName(text: string): string {
  return text.normalize('NFKC').replace(/[\s·•・.]/g, '').toLowerCase()
}
