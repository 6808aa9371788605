/**
 * Where the definitions we extract from are not HL7 FHIR R4 4.0.1: elements taken from R4B and R5, elements of one
 * server's own, and the R4 form of what they replaced. Found by comparing every element with a second publication of R4;
 * rules: https://hl7.org/fhir/R4/ (page of each type).
 */
import type { ElementRow } from './extracts.ts'

/** SubscriptionStatus is R4B; MetadataResource became a type in R5. */
export const droppedTypes: readonly string[] = ['SubscriptionStatus', 'MetadataResource']

/** Elements (with all below them) that R4 does not have. */
export const droppedElements: readonly string[] = [
  'Meta.project', 'Meta.author', 'Meta.onBehalfOf', 'Meta.account', 'Meta.accounts', 'Meta.compartment', 'Meta.deleted',
  'Binary.url',
  'DeviceDefinition.classification', 'DeviceDefinition.bodySite',
  'HealthcareService.offeredIn',
  'ObservationDefinition.publisher',
  'ResearchStudy.name', 'ResearchStudy.label', 'ResearchStudy.studyDesign', 'ResearchStudy.region', 'ResearchStudy.descriptionSummary',
  'ResearchStudy.classifier', 'ResearchStudy.associatedParty', 'ResearchStudy.progressStatus', 'ResearchStudy.whyStopped',
  'ResearchStudy.recruitment', 'ResearchStudy.comparisonGroup', 'ResearchStudy.objective.description', 'ResearchStudy.outcomeMeasure',
  'ResearchStudy.result',
  'EvidenceVariable.characteristic.linkId', 'EvidenceVariable.characteristic.note',
  'EvidenceVariable.characteristic.definitionReference', 'EvidenceVariable.characteristic.definitionCanonical',
  'EvidenceVariable.characteristic.definitionCodeableConcept', 'EvidenceVariable.characteristic.definitionExpression',
  'EvidenceVariable.characteristic.definitionId', 'EvidenceVariable.characteristic.definitionByTypeAndValue',
  'EvidenceVariable.characteristic.definitionByCombination', 'EvidenceVariable.characteristic.instances[x]',
  'EvidenceVariable.characteristic.duration[x]', 'EvidenceVariable.characteristic.timeFromEvent',
]

/** Search parameters that go with them. */
export const droppedSearchParameters: readonly string[] = ['http://hl7.org/fhir/SearchParameter/DeviceDefinition-classification']

/** The R4 form of elements that the source has changed or lost. Key: full path. */
export const replacedElements: Readonly<Record<string, ElementRow>> = {
  'DetectedIssue.status': { path: 'status', min: 1, max: 1, types: ['code'], binding: ['required', 'http://hl7.org/fhir/ValueSet/observation-status'] },
  'MeasureReport.subject': {
    path: 'subject', min: 0, max: 1,
    types: [['Reference', ['Device', 'Group', 'Location', 'Patient', 'Practitioner', 'PractitionerRole', 'RelatedPerson']]],
  },
  'ResearchStudy.site': { path: 'site', min: 0, max: null, types: [['Reference', ['Location']]] },
  'EvidenceVariable.characteristic': { path: 'characteristic', min: 1, max: null, types: ['BackboneElement'] },
  'EvidenceVariable.characteristic.definition[x]': {
    path: 'characteristic.definition[x]', min: 1, max: 1,
    types: [['Reference', ['Group']], ['canonical', ['ActivityDefinition']], 'CodeableConcept', 'Expression', 'DataRequirement', 'TriggerDefinition'],
  },
  'EvidenceVariable.characteristic.usageContext': { path: 'characteristic.usageContext', min: 0, max: null, types: ['UsageContext'] },
  'EvidenceVariable.characteristic.participantEffective[x]': {
    path: 'characteristic.participantEffective[x]', min: 0, max: 1, types: ['dateTime', 'Period', 'Duration', 'Timing'],
  },
  'EvidenceVariable.characteristic.timeFromStart': { path: 'characteristic.timeFromStart', min: 0, max: 1, types: ['Duration'] },
  'EvidenceVariable.characteristic.groupMeasure': {
    path: 'characteristic.groupMeasure', min: 0, max: 1, types: ['code'], binding: ['required', 'http://hl7.org/fhir/ValueSet/group-measure'],
  },
}

/** Invariants that are of later versions. */
export const droppedConstraints: readonly string[] = ['evv-1', 'sst-1', 'dom-r4b', 'inv-0']

/** Invariants whose published FHIRPath does not say what their text says; the corrected form is that of R5. */
export const changedConstraints: Readonly<Record<string, string>> = {
  'con-3': "clinicalStatus.exists() or verificationStatus.coding.where(system = 'http://terminology.hl7.org/CodeSystem/condition-ver-status' and code = 'entered-in-error').exists() or category.coding.where(system = 'http://terminology.hl7.org/CodeSystem/condition-category' and code = 'problem-list-item').empty()",
  // `is Boolean` asks for the type of FHIRPath, which no FHIR element has.
  'que-7': "operator = 'exists' implies (answer is boolean)",
}
