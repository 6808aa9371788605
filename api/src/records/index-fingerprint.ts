/** What the rows of a type are indexed by, in few letters: where it differs from what is noted, they are indexed anew. */
import { createHash } from 'node:crypto'
import type { FhirModel } from '../fhir/model.ts'
import type { ResourceType } from '../fhir/resource-types.ts'

/** Raised when the way values are indexed changes, so that everything is indexed anew. */
const indexVersion = 10

/** Raised when the way a type is placed changes (access/placement.ts). */
const placementVersions: Partial<Record<ResourceType, number>> = { Organization: 2, Group: 2, Condition: 2, Provenance: 2, HealthcareService: 2, InsurancePlan: 2 }

export function indexFingerprint(model: FhirModel, type: ResourceType): string {
  const parameters = [...model.searchParameters(type).values()]
    .map(({ code, type: kind, expression, storage, storedAs, components, codedBy }) => [code, kind, expression, storage, storedAs, components, ...(codedBy === undefined ? [] : [codedBy])])
  return createHash('sha256').update(JSON.stringify([indexVersion, parameters, ...(type in placementVersions ? [placementVersions[type]] : [])])).digest('base64url').slice(0, 22)
}
