/**
 * The groups a record is divided into when somebody is given a part of it, and which resource type belongs to which. A family
 * authorization names groups; roles are given groups in `audience.ts`. Bits stand in `proxy_grant.groups`, so a bit is never reused.
 * Source: docs/access.md, "Groups".
 */
import { type ResourceType, resourceTypes, typeCode } from '../fhir/resource-types.ts'

export const dataGroups = ['basics', 'problems', 'visits', 'results', 'notes', 'immunizations', 'costs', 'sensitive', 'access'] as const
export type DataGroup = (typeof dataGroups)[number]

/** `sensitive` has no types: it says that entries with sensitive labels are meant too. */
const members: Readonly<Record<Exclude<DataGroup, 'sensitive'>, readonly ResourceType[]>> = {
  basics: ['Appointment', 'AppointmentResponse', 'CareTeam', 'Group', 'Patient', 'Person', 'RelatedPerson'],
  problems: [
    'AdverseEvent', 'AllergyIntolerance', 'CarePlan', 'Condition', 'DetectedIssue', 'DeviceUseStatement', 'FamilyMemberHistory', 'Flag', 'Goal',
    'MedicationAdministration', 'MedicationDispense', 'MedicationRequest', 'MedicationStatement', 'NutritionOrder', 'RiskAssessment', 'VisionPrescription',
  ],
  visits: [
    'Communication', 'CommunicationRequest', 'DeviceRequest', 'Encounter', 'EpisodeOfCare', 'List', 'Procedure', 'Provenance', 'RequestGroup',
    'ServiceRequest', 'SupplyDelivery', 'SupplyRequest', 'Task',
  ],
  results: ['BodyStructure', 'DiagnosticReport', 'ImagingStudy', 'Media', 'MolecularSequence', 'Observation', 'Specimen'],
  notes: ['Basic', 'ClinicalImpression', 'Composition', 'DocumentManifest', 'DocumentReference', 'QuestionnaireResponse'],
  immunizations: ['Immunization', 'ImmunizationEvaluation', 'ImmunizationRecommendation'],
  costs: [
    'Account', 'ChargeItem', 'Claim', 'ClaimResponse', 'Coverage', 'CoverageEligibilityRequest', 'CoverageEligibilityResponse', 'EnrollmentRequest',
    'ExplanationOfBenefit', 'Invoice', 'MeasureReport',
  ],
  access: ['AuditEvent', 'Consent', 'ResearchSubject'],
}

export function groupBit(group: DataGroup): number {
  return 1 << dataGroups.indexOf(group)
}

export function groupBits(groups: readonly DataGroup[]): number {
  return groups.reduce((bits, group) => bits | groupBit(group), 0)
}

/** Everything. */
export const allGroups = groupBits(dataGroups)
/** What a guardian sees of a child from the fourteenth birthday on. */
export const guardianGroupsFrom14 = groupBits(['basics', 'problems', 'visits', 'immunizations'])
/** What a citizen may give to a relative at most: neither notes nor sensitive entries nor the log. */
export const familyGroups: readonly DataGroup[] = ['basics', 'problems', 'visits', 'results', 'immunizations', 'costs']

const bits = new Map<ResourceType, number>(Object.entries(members).flatMap(([group, types]) => types.map((type) => [type, groupBit(group as DataGroup)] as const)))

/** Bit of the group of a type; 0 for a type that is about no patient. */
export function groupBitOf(type: ResourceType): number {
  return bits.get(type) ?? 0
}

export function typesOfGroups(groups: readonly Exclude<DataGroup, 'sensitive'>[]): ResourceType[] {
  return groups.flatMap((group) => members[group])
}

/** Bits by type number, from 1, as a PostgreSQL array. */
export const groupBitsByCode = `{${[...resourceTypes].sort((a, b) => typeCode(a) - typeCode(b)).map(groupBitOf).join(',')}}`
