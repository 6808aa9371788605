/**
 * Whom each resource type is about; that decides who may see it. `patient` types are those of the R4 Patient compartment
 * (CompartmentDefinition/patient), `directory` is what a public portal shows to everyone, `staff` is for signed-in
 * professionals, and whatever is not named is for system clients by scope only.
 */
import { type ResourceType, resourceTypes, typeCode } from '../fhir/resource-types.ts'

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
  'AllergyIntolerance', 'CarePlan', 'ChargeItem', 'ClinicalImpression', 'Composition', 'Condition', 'DiagnosticReport',
  'DocumentReference', 'Encounter', 'FamilyMemberHistory', 'Flag', 'Goal', 'ImagingStudy', 'Immunization',
  'MedicationAdministration', 'MedicationDispense', 'MedicationRequest', 'MedicationStatement', 'Observation', 'Procedure',
  'Provenance', 'QuestionnaireResponse', 'RiskAssessment', 'ServiceRequest', 'Specimen', 'Task',
])

/** What a citizen may send about themselves or those they act for, where a domain's write rule takes it. */
export const citizenTypes: ReadonlySet<ResourceType> = new Set<ResourceType>(['Appointment', 'AppointmentResponse'])
