/**
 * A row of the audit trail as an AuditEvent, in the shape of IHE BALP: the person, the system that served them, the patient, what was read or
 * written, the request; purpose and the rule that allowed it. Source: IHE BALP 1.1 (PatientRead, PatientCreate, PatientQuery …).
 */
import type { AuditEvent, AuditEventAgent, AuditEventEntity } from '@medplum/fhirtypes'
import type { Language } from '../fhir/outcome.ts'
import { isResourceType } from '../fhir/resource-types.ts'
import type { AuditEventTable } from '../storage/tables.ts'

export type AuditRow = Omit<AuditEventTable, 'recorded_at'> & { recorded_at: string; patient_id?: string | null }

const terminology = 'http://terminology.hl7.org/CodeSystem'
const dicom = 'http://dicom.nema.org/resources/ontology/DCM'
/** Prefix of agent.policy: why it was allowed. */
export const accessRuleUrl = 'https://pujiang.health/fhir/access-rule/'
export const roleSystem = 'https://pujiang.health/fhir/CodeSystem/role'
const actionCodes = { C: 'create', R: 'read', U: 'update', D: 'delete', E: 'operation' } as const

/** @param patient FHIR id of the patient concerned; null when none is. */
export function auditEventOf(row: AuditRow, patient: string | null, language: Language): AuditEvent {
  return {
    resourceType: 'AuditEvent', id: row.id,
    type: { system: `${terminology}/audit-event-type`, code: 'rest', display: 'RESTful Operation' },
    subtype: [{ system: 'http://hl7.org/fhir/restful-interaction', code: interactionOf(row), display: row.interaction }],
    action: row.action,
    recorded: row.recorded_at,
    outcome: row.outcome < 400 ? '0' : '4',
    purposeOfEvent: [{ coding: [{ system: `${terminology}/v3-ActReason`, code: row.purpose }] }],
    agent: [personOf(row), serverOf(row, language)],
    source: { observer: { display: platformName(language) }, type: [{ system: `${terminology}/security-source-type`, code: '4', display: 'Application Server' }] },
    entity: entitiesOf(row, patient),
  }
}

export function interactionOf({ interaction, action }: Pick<AuditRow, 'interaction' | 'action'>): string {
  return /^(read|vread|update|delete|create|history-instance|history-type|history-system|search-type|search-system|transaction|batch)$/.test(interaction) ? interaction : actionCodes[action]
}

function platformName(language: Language): string {
  return language === 'zh' ? '浦江健康' : 'Pujiang Health'
}

/** IRCP receives information, AUT writes it. */
function personOf(row: AuditRow): AuditEventAgent {
  const reads = row.action === 'R' || row.action === 'E'
  return {
    type: { coding: [{ system: `${terminology}/v3-ParticipationType`, code: reads ? 'IRCP' : 'AUT' }] },
    requestor: true,
    altId: row.principal_id,
    name: row.principal_name,
    ...(row.role ? { role: [{ coding: [{ system: roleSystem, code: row.role }] }] } : {}),
    who: {
      ...(row.practitioner ? { reference: `Practitioner/${row.practitioner}` } : row.role === 'citizen' ? {} : { identifier: { value: row.principal_id } }),
      display: row.principal_name,
    },
    ...(row.organization_name ? { location: { display: row.organization_name } } : {}),
    policy: [`${accessRuleUrl}${row.basis}`],
  }
}

/** The platform sends what is read and receives what is written. */
function serverOf(row: AuditRow, language: Language): AuditEventAgent {
  const reads = row.action === 'R' || row.action === 'E'
  return {
    type: { coding: [{ system: dicom, code: reads ? '110153' : '110152', display: reads ? 'Source Role ID' : 'Destination Role ID' }] },
    requestor: false,
    who: { display: platformName(language) },
  }
}

function entitiesOf(row: AuditRow, patient: string | null): AuditEventEntity[] {
  const type = (code: string, display: string) => ({ system: `${terminology}/audit-entity-type`, code, display })
  const role = (code: string, display: string) => ({ system: `${terminology}/object-role`, code, display })
  const what = row.resource_type !== null && isResourceType(row.resource_type) ? row.resource_type : null
  return [
    ...(patient === null ? [] : [{ what: { reference: `Patient/${patient}` }, type: type('1', 'Person'), role: role('1', 'Patient') }]),
    ...(what === null && row.detail === null ? [] : [{
      ...(what === null ? {} : { what: row.resource_id ? { reference: `${what}/${row.resource_id}` } : { type: what, display: what } }),
      type: type('2', 'System Object'), role: row.resource_id || what === null ? role('4', 'Domain Resource') : role('24', 'Query'),
      ...(row.detail ? { description: row.detail } : {}),
    }]),
    {
      what: { identifier: { value: row.request_id } },
      type: { system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType', code: 'XrequestId' },
    },
  ]
}
