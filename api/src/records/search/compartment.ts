/**
 * Rows of a compartment. That of a Patient is in column `pid` and, of rows that belong to several patients, in a key; those of Encounter,
 * Practitioner, RelatedPerson and Device are asked for by the references that put a row there. Source: FHIR R4 § Compartment.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { compartmentParameters, type CompartmentType } from '../../fhir/compartments.ts'
import { keyOf } from '../../fhir/id.ts'
import type { FhirModel } from '../../fhir/model.ts'
import { type ResourceType, typeCode } from '../../fhir/resource-types.ts'
import { keyArray } from './criterion.ts'
import { compartmentKey, linkKey, linkSeed } from './keys.ts'

export interface Compartment { type: CompartmentType; id: string }

/** Whether a compartment may hold rows of a type. */
export function mayHold(model: FhirModel, compartment: CompartmentType, type: ResourceType): boolean {
  if (type === compartment) return isItsOwn(compartment)
  return compartment === 'Patient' ? model.patientCompartment(type).length > 0 : compartmentParameters(compartment).has(type)
}

/** What gives a compartment its name is in it; R4 leaves that out of Device's. */
function isItsOwn(compartment: CompartmentType): boolean {
  return compartment !== 'Device'
}

/** Each part is served by an index. The keys name their types, so rows of other types have none of them. */
export function inCompartment(model: FhirModel, { type: compartment, id }: Compartment, types: readonly ResourceType[]): RawBuilder<SqlBool> {
  const key = keyOf(id)
  if (compartment === 'Patient') return sql<SqlBool>`(r.pid = ${key}::uuid or r.keys @> array[${String(compartmentKey(key))}::bigint])`
  const parts: RawBuilder<SqlBool>[] = []
  if (isItsOwn(compartment) && types.includes(compartment)) parts.push(sql<SqlBool>`(r.id = ${key}::uuid and r.t = ${sql.raw(String(typeCode(compartment)))})`)
  const keys = types.flatMap((type) => referenceKeys(model, compartment, type, key))
  if (keys.length > 0) parts.push(sql<SqlBool>`r.keys && ${keyArray(keys)}`)
  return parts.length === 0 ? sql<SqlBool>`false` : sql<SqlBool>`(${sql.join(parts, sql` or `)})`
}

function referenceKeys(model: FhirModel, compartment: Exclude<CompartmentType, 'Patient'>, type: ResourceType, key: string): bigint[] {
  return (compartmentParameters(compartment).get(type) ?? []).flatMap((code) =>
    (model.searchParameters(type).get(code)?.storedAs ?? []).map((stored) => linkKey(linkSeed(type, stored, compartment), key)))
}
