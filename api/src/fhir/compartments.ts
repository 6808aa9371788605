/**
 * The compartments of R4 beside that of Patient (which the store keeps in columns): for each the types that may be in it, and the search
 * parameters whose references put them there.
 * Source: HL7 FHIR R4 4.0.1, CompartmentDefinition encounter, practitioner, relatedPerson, device.
 */
import { isResourceType, type ResourceType } from './resource-types.ts'

export const compartmentTypes = ['Patient', 'Encounter', 'Practitioner', 'RelatedPerson', 'Device'] as const satisfies readonly ResourceType[]
export type CompartmentType = (typeof compartmentTypes)[number]

export function isCompartmentType(type: string): type is CompartmentType {
  return (compartmentTypes as readonly string[]).includes(type)
}

/** Type: parameters, one a line. */
const tables: Readonly<Record<Exclude<CompartmentType, 'Patient'>, string>> = {
  Encounter: `
    CarePlan: encounter
    CareTeam: encounter
    ChargeItem: context
    Claim: encounter
    ClinicalImpression: encounter
    Communication: encounter
    CommunicationRequest: encounter
    Composition: encounter
    Condition: encounter
    DeviceRequest: encounter
    DiagnosticReport: encounter
    DocumentManifest: related-ref
    DocumentReference: encounter
    ExplanationOfBenefit: encounter
    Media: encounter
    MedicationAdministration: context
    MedicationRequest: encounter
    NutritionOrder: encounter
    Observation: encounter
    Procedure: encounter
    QuestionnaireResponse: encounter
    RequestGroup: encounter
    ServiceRequest: encounter
    VisionPrescription: encounter`,
  Practitioner: `
    Account: subject
    AdverseEvent: recorder
    AllergyIntolerance: recorder asserter
    Appointment: actor
    AppointmentResponse: actor
    AuditEvent: agent
    Basic: author
    CarePlan: performer
    CareTeam: participant
    ChargeItem: enterer performer-actor
    Claim: enterer provider payee care-team
    ClaimResponse: requestor
    ClinicalImpression: assessor
    Communication: sender recipient
    CommunicationRequest: sender recipient requester
    Composition: subject author attester
    Condition: asserter
    CoverageEligibilityRequest: enterer provider
    CoverageEligibilityResponse: requestor
    DetectedIssue: author
    DeviceRequest: requester performer
    DiagnosticReport: performer
    DocumentManifest: subject author recipient
    DocumentReference: subject author authenticator
    Encounter: practitioner participant
    EpisodeOfCare: care-manager
    ExplanationOfBenefit: enterer provider payee care-team
    Flag: author
    Group: member
    Immunization: performer
    Invoice: participant
    Linkage: author
    List: source
    Media: subject operator
    MedicationAdministration: performer
    MedicationDispense: performer receiver
    MedicationRequest: requester
    MedicationStatement: source
    MessageHeader: receiver author responsible enterer
    NutritionOrder: provider
    Observation: performer
    Patient: general-practitioner
    PaymentNotice: provider
    PaymentReconciliation: requestor
    Person: practitioner
    PractitionerRole: practitioner
    Procedure: performer
    Provenance: agent
    QuestionnaireResponse: author source
    RequestGroup: participant author
    ResearchStudy: principalinvestigator
    RiskAssessment: performer
    Schedule: actor
    ServiceRequest: performer requester
    Specimen: collector
    SupplyDelivery: supplier receiver
    SupplyRequest: requester
    VisionPrescription: prescriber`,
  RelatedPerson: `
    AdverseEvent: recorder
    AllergyIntolerance: asserter
    Appointment: actor
    AppointmentResponse: actor
    Basic: author
    CarePlan: performer
    CareTeam: participant
    ChargeItem: enterer performer-actor
    Claim: payee
    Communication: sender recipient
    CommunicationRequest: sender recipient requester
    Composition: author
    Condition: asserter
    Coverage: policy-holder subscriber payor
    DocumentManifest: author recipient
    DocumentReference: author
    Encounter: participant
    ExplanationOfBenefit: payee
    Invoice: recipient
    MedicationAdministration: performer
    MedicationStatement: source
    Observation: performer
    Patient: link
    Person: link
    Procedure: performer
    Provenance: agent
    QuestionnaireResponse: author source
    RequestGroup: participant
    Schedule: actor
    ServiceRequest: performer
    SupplyRequest: requester`,
  Device: `
    Account: subject
    Appointment: actor
    AppointmentResponse: actor
    AuditEvent: agent
    ChargeItem: enterer performer-actor
    Claim: procedure-udi item-udi detail-udi subdetail-udi
    Communication: sender recipient
    CommunicationRequest: sender recipient
    Composition: author
    DetectedIssue: author
    DeviceRequest: device subject requester performer
    DeviceUseStatement: device
    DiagnosticReport: subject
    DocumentManifest: subject author
    DocumentReference: subject author
    ExplanationOfBenefit: procedure-udi item-udi detail-udi subdetail-udi
    Flag: author
    Group: member
    Invoice: participant
    List: subject source
    Media: subject
    MedicationAdministration: device
    MessageHeader: target
    Observation: subject device
    Provenance: agent
    QuestionnaireResponse: author
    RequestGroup: author
    RiskAssessment: performer
    Schedule: actor
    ServiceRequest: performer requester
    Specimen: subject
    SupplyRequest: requester`,
}

const parameters = new Map(Object.entries(tables).map(([compartment, text]) => [compartment, readTable(text)]))

function readTable(text: string): ReadonlyMap<ResourceType, readonly string[]> {
  return new Map(text.trim().split('\n').map((line) => {
    const [type = '', codes = ''] = line.trim().split(': ')
    if (!isResourceType(type)) throw new Error(`A compartment names ${type}, which is no resource type.`)
    return [type, codes.split(' ')] as const
  }))
}

/** Types that may be in a compartment other than Patient's, with the parameters that put them there. */
export function compartmentParameters(compartment: Exclude<CompartmentType, 'Patient'>): ReadonlyMap<ResourceType, readonly string[]> {
  return parameters.get(compartment) ?? new Map()
}
