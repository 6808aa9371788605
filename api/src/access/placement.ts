/**
 * Where an entry comes from: hospital, department, author, and the visit and diagnoses it belongs to. Read from the elements that FHIR
 * has for it; what an entry does not say itself it takes from its visit, and last from who wrote it. The access decision looks at
 * the result in columns org, dept and author. Pure.
 */
import type { Resource } from '@medplum/fhirtypes'
import { keyOf } from '../fhir/id.ts'
import { isResourceType, type ResourceType } from '../fhir/resource-types.ts'

/** Keys; null what is not known. */
export interface Placement {
  labels: number
  organization: string | null
  department: string | null
  author: string | null
}

export interface Origin extends Omit<Placement, 'labels'> {
  /** Key of the Encounter it belongs to. */
  encounter: string | null
  /** Keys of Conditions it was done for. */
  reasons: readonly string[]
  /** What a Provenance speaks of: who may not see that is not told of it either. */
  about: readonly About[]
}

export interface About { type: ResourceType; key: string }

/** In order of weight: the first Organization found counts; `partOf` has one only in Organization. `performer.actor` means the member `actor` of each performer. */
const organizationElements = [
  'serviceProvider', 'provider', 'requestor', 'performingOrganization', 'custodian', 'issuer', 'managingOrganization', 'managingEntity', 'providedBy', 'ownedBy', 'payor', 'performer', 'performer.actor', 'owner', 'author', 'organization', 'recorder', 'partOf',
] as const
const authorElements = [
  'recorder', 'requester', 'author', 'asserter', 'performer', 'performer.actor', 'participant.individual', 'participant.actor', 'participant.member', 'informationSource', 'enterer', 'sender', 'assessor',
] as const
const organizationExtension = 'https://pujiang.health/fhir/StructureDefinition/organization'
const departmentSystem = 'https://pujiang.health/fhir/CodeSystem/department'

export function originOf(resource: Resource): Origin {
  const fields = resource as unknown as Record<string, unknown>
  return {
    organization: firstKey(fields, organizationElements, 'Organization') ?? extensionKey(fields.extension),
    department: codeOf(fields.serviceType) ?? codeOf(fields.specialty) ?? codeOf(fields.performerType),
    author: firstKey(fields, authorElements, 'Practitioner'),
    encounter: resource.resourceType === 'Encounter' ? null : keyIn(fields.encounter, 'Encounter') ?? keyIn(fields.context, 'Encounter')
      ?? keyIn((fields.context as Record<string, unknown> | undefined)?.encounter, 'Encounter'),
    reasons: keysIn(fields.reasonReference, 'Condition'),
    about: resource.resourceType === 'Provenance' ? targetsIn(fields.target) : [],
  }
}

function firstKey(fields: Record<string, unknown>, elements: readonly string[], type: string): string | null {
  for (const element of elements) {
    const dot = element.indexOf('.')
    const value = dot < 0 ? fields[element] : listOf(fields[element.slice(0, dot)]).map((each) => (each as Record<string, unknown> | null)?.[element.slice(dot + 1)])
    const key = value === undefined ? null : keyIn(value, type)
    if (key !== null) return key
  }
  return null
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]
}

function keyIn(value: unknown, type: string): string | null {
  return keysIn(value, type)[0] ?? null
}

function keysIn(value: unknown, type: string): string[] {
  return listOf(value).flatMap((each) => {
    const reference = (each as { reference?: unknown } | null)?.reference
    if (typeof reference !== 'string' || !reference.startsWith(`${type}/`)) return []
    const id = /^\w+\/([A-Za-z0-9\-.]{1,64})/.exec(reference)?.[1]
    return id === undefined ? [] : [keyOf(id)]
  })
}

/** A patient's own page has no labels. */
function targetsIn(value: unknown): About[] {
  return listOf(value).flatMap((each) => {
    const [, type = '', id = ''] = /^([A-Z]\w+)\/([A-Za-z0-9\-.]{1,64})/.exec(String((each as { reference?: unknown } | null)?.reference)) ?? []
    return isResourceType(type) && type !== 'Patient' ? [{ type, key: keyOf(id) }] : []
  })
}

function extensionKey(extensions: unknown): string | null {
  const found = listOf(extensions).find((each) => (each as { url?: unknown } | null)?.url === organizationExtension)
  return found === undefined ? null : keyIn((found as Record<string, unknown>).valueReference, 'Organization')
}

function codeOf(concepts: unknown): string | null {
  for (const concept of listOf(concepts)) {
    for (const coding of listOf((concept as { coding?: unknown } | null)?.coding)) {
      const { system, code } = coding as Record<string, unknown>
      if (system === departmentSystem && typeof code === 'string') return code
    }
  }
  return null
}

/** What an entry takes from its visit and from who writes it, where it says nothing itself. */
export function placed(origin: Origin, from: readonly (Partial<Placement> | null | undefined)[]): Omit<Placement, 'labels'> {
  const first = (name: 'organization' | 'department' | 'author') => origin[name] ?? from.map((each) => each?.[name]).find((value) => value !== null && value !== undefined) ?? null
  return { organization: first('organization'), department: first('department'), author: first('author') }
}
