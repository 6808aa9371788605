/**
 * Whom each resource type is about; that decides who may see it. `patient` types are those of the R4 Patient compartment
 * (CompartmentDefinition/patient), `directory` is what a public portal shows to everyone, `staff` is for signed-in
 * professionals, and whatever is not named is for system clients by scope only.
 */
import { type ResourceType, resourceTypes, typeCode } from '../fhir/resource-types.ts'
import { typesOfGroups } from './data-groups.ts'

export type Audience = 'directory' | 'patient' | 'staff' | 'system'

const directory: readonly ResourceType[] = [
  'ActivityDefinition', 'CapabilityStatement', 'ChargeItemDefinition', 'CodeSystem', 'CompartmentDefinition', 'ConceptMap', 'HealthcareService',
  'ImplementationGuide', 'InsurancePlan', 'Location', 'NamingSystem', 'OperationDefinition', 'Organization',
  'OrganizationAffiliation', 'Practitioner', 'PractitionerRole', 'Questionnaire', 'Schedule', 'SearchParameter', 'Slot',
  'StructureDefinition', 'StructureMap', 'ValueSet',
]

const patient: readonly ResourceType[] = [
  'Account', 'AdverseEvent', 'AllergyIntolerance', 'Appointment', 'AppointmentResponse', 'AuditEvent', 'Basic',
  'BodyStructure', 'CarePlan', 'CareTeam', 'ChargeItem', 'Claim', 'ClaimResponse', 'ClinicalImpression', 'Communication',
  'CommunicationRequest', 'Composition', 'Condition', 'Consent', 'Coverage', 'CoverageEligibilityRequest',
  'CoverageEligibilityResponse', 'DetectedIssue', 'DeviceRequest', 'DeviceUseStatement', 'DiagnosticReport',
  'DocumentManifest', 'DocumentReference', 'Encounter', 'EnrollmentRequest', 'EpisodeOfCare', 'ExplanationOfBenefit',
  'FamilyMemberHistory', 'Flag', 'Goal', 'Group', 'ImagingStudy', 'Immunization', 'ImmunizationEvaluation',
  'ImmunizationRecommendation', 'Invoice', 'List', 'MeasureReport', 'Media', 'MedicationAdministration',
  'MedicationDispense', 'MedicationRequest', 'MedicationStatement', 'MolecularSequence', 'NutritionOrder', 'Observation',
  'Patient', 'Person', 'Procedure', 'Provenance', 'QuestionnaireResponse', 'RelatedPerson', 'RequestGroup',
  'ResearchSubject', 'RiskAssessment', 'ServiceRequest', 'Specimen', 'SupplyDelivery', 'SupplyRequest', 'Task',
  'VisionPrescription',
]

const staff: readonly ResourceType[] = ['Medication', 'MedicationKnowledge', 'PlanDefinition', 'Substance', 'Device']

const audiences = new Map<ResourceType, Audience>([
  ...directory.map((type) => [type, 'directory'] as const),
  ...patient.map((type) => [type, 'patient'] as const),
  ...staff.map((type) => [type, 'staff'] as const),
])

export function audienceOf(type: ResourceType): Audience {
  return audiences.get(type) ?? 'system'
}

/** Numbers of all types of an audience, for SQL. */
export function typeCodesOf(audience: Audience): number[] {
  return resourceTypes.filter((type) => audienceOf(type) === audience).map(typeCode)
}

/** What a clinician writes about a patient in their care. */
export const clinicalTypes: ReadonlySet<ResourceType> = new Set<ResourceType>([
  'AdverseEvent', 'AllergyIntolerance', 'CarePlan', 'ChargeItem', 'ClinicalImpression', 'Composition', 'Condition', 'DiagnosticReport',
  'DocumentReference', 'Encounter', 'FamilyMemberHistory', 'Flag', 'Goal', 'ImagingStudy', 'Immunization', 'Media',
  'MedicationAdministration', 'MedicationDispense', 'MedicationRequest', 'MedicationStatement', 'NutritionOrder', 'Observation', 'Procedure',
  'Provenance', 'QuestionnaireResponse', 'RiskAssessment', 'ServiceRequest', 'Specimen', 'Task', 'VisionPrescription',
])

/** What a clinician reads: everything but money, and what would say that something is hidden. They read the charges they enter. */
export const clinicalReadable: readonly ResourceType[] = [
  ...typesOfGroups(['basics', 'problems', 'visits', 'results', 'notes', 'immunizations']), 'ChargeItem',
]

/** What a hospital's desk reads of its own hospital's bookings and bills, beside the patient's particulars. */
export const deskTypes: readonly ResourceType[] = ['Account', 'Appointment', 'AppointmentResponse', 'ChargeItem', 'Claim', 'ClaimResponse', 'ExplanationOfBenefit', 'Invoice']

/** What the insurance centre needs of those it insures: claims and what they rest on. Whose Coverage it pays is asked of each. */
export const insurerTypes: readonly ResourceType[] = [
  'Claim', 'ClaimResponse', 'Coverage', 'CoverageEligibilityRequest', 'CoverageEligibilityResponse', 'EnrollmentRequest', 'ExplanationOfBenefit', 'Invoice', 'Patient',
]

/** What a citizen may send about themselves or those they act for, where a domain's write rule takes it. */
export const citizenTypes: ReadonlySet<ResourceType> = new Set<ResourceType>(['Appointment', 'AppointmentResponse', 'Consent'])

/**
 * What holds for the whole city, and so is not for a single hospital or region to write: which hospitals belong to a region (their rights follow
 * from it), the terms, profiles and search parameters.
 */
export const cityTypes: readonly ResourceType[] = [
  'Organization', 'OrganizationAffiliation', 'CapabilityStatement', 'CodeSystem', 'CompartmentDefinition', 'ConceptMap', 'GraphDefinition', 'ImplementationGuide',
  'MessageDefinition', 'NamingSystem', 'OperationDefinition', 'SearchParameter', 'StructureDefinition', 'StructureMap', 'TerminologyCapabilities', 'ValueSet',
]
