/** Record entries in words: title, a line of detail and a status, for lists on citizen and clinician pages. */
import type { AllergyIntolerance, Condition, DiagnosticReport, Encounter, Immunization, MedicationRequest, Procedure, ServiceRequest } from '@medplum/fhirtypes'
import { useText } from './use-text.ts'

export interface EntryText { key: string; title: string; detail: string; tag: { kind: 'plain' | 'ok' | 'warn' | 'bad' | 'info'; text: string } | null }

export function useEntries() {
  const { t, concept, concepts, reference, text, plainDay } = useText()
  const joined = (...parts: (string | undefined)[]) => parts.filter(Boolean).join(' · ')
  const day = (value: string | undefined) => (value ? plainDay(value) : '')

  return {
    condition: (each: Condition): EntryText => {
      const resolved = each.clinicalStatus?.coding?.[0]?.code === 'resolved'
      const onset = each.onsetDateTime ?? each.recordedDate
      return {
        key: each.id ?? '', title: concept(each.code), detail: joined(each.code?.coding?.[0]?.code, onset ? t('record.since', { day: day(onset) }) : ''),
        tag: resolved ? { kind: 'plain', text: t('record.resolved') } : null,
      }
    },
    allergy: (each: AllergyIntolerance): EntryText => ({
      key: each.id ?? '', title: concept(each.code),
      detail: joined(...(each.reaction ?? []).map((reaction) => concepts(reaction.manifestation)), day(each.recordedDate ?? each.onsetDateTime)),
      tag: each.criticality === 'high' ? { kind: 'bad', text: t('record.severe') } : null,
    }),
    medication: (each: MedicationRequest): EntryText => ({
      key: each.id ?? '', title: concept(each.medicationCodeableConcept) || reference(each.medicationReference),
      detail: joined(each.dosageInstruction?.map((one) => text(one, 'text')).join(' '), day(each.authoredOn), reference(each.requester)),
      tag: each.status === 'active' ? { kind: 'ok', text: t('record.inUse') } : { kind: 'plain', text: t('record.ended') },
    }),
    immunization: (each: Immunization): EntryText => ({
      key: each.id ?? '', title: concept(each.vaccineCode),
      detail: joined(
        day(each.occurrenceDateTime), each.protocolApplied?.[0]?.doseNumberPositiveInt ? t('record.dose', { number: each.protocolApplied[0].doseNumberPositiveInt }) : '',
        each.lotNumber ? t('record.lot', { number: each.lotNumber }) : '', reference(each.performer?.[0]?.actor) || reference(each.location),
      ),
      tag: each.status === 'completed' ? null : { kind: 'warn', text: t('record.notDone') },
    }),
    report: (each: DiagnosticReport): EntryText => ({
      key: each.id ?? '', title: concept(each.code), detail: joined(text(each, 'conclusion'), day(each.effectiveDateTime ?? each.issued), reference(each.performer?.[0])), tag: null,
    }),
    order: (each: ServiceRequest): EntryText => ({
      key: each.id ?? '', title: concept(each.code), detail: joined(day(each.authoredOn), reference(each.requester)),
      tag: each.status === 'completed' ? null : { kind: 'info', text: t('record.ordered') },
    }),
    procedure: (each: Procedure): EntryText => ({
      key: each.id ?? '', title: concept(each.code), detail: joined(day(each.performedDateTime ?? each.performedPeriod?.start)), tag: null,
    }),
    /** `门诊 · 心血管内科`. */
    visitTitle: (each: Encounter): string => {
      const kind = concept(each.type?.[0]) || t(`visitClass.${['AMB', 'IMP', 'EMER', 'VR', 'HH'].includes(each.class?.code ?? '') ? each.class?.code : 'AMB'}`)
      return joined(kind, concept(each.serviceType))
    },
    visitPlace: (each: Encounter): string => joined(reference(each.serviceProvider), reference(each.participant?.[0]?.individual)),
  }
}
