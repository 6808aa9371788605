/** The lines that describe an appointment, equal on the check page, the confirmation and the detail page. */
import type { AppointmentFacts } from '../api/appointment-facts.ts'
import { useText } from './use-text.ts'

export function useAppointmentRows() {
  const { t, reference, concept, coding, longDay, timeOf, money } = useText()

  function rowsOf(facts: AppointmentFacts): { key: string; term: string; value: string }[] {
    return [
      { key: 'patient', term: t('book.patient'), value: reference(facts.patient) },
      { key: 'time', term: t('book.time'), value: `${longDay(facts.start)} ${timeOf(facts.start)}–${timeOf(facts.end || facts.start)}` },
      { key: 'hospital', term: t('book.hospital'), value: reference(facts.organization) },
      { key: 'place', term: t('book.place'), value: reference(facts.location) },
      { key: 'department', term: t('book.department'), value: concept(facts.department) },
      { key: 'doctor', term: t('book.doctor'), value: [reference(facts.practitioner), coding(facts.title)].filter(Boolean).join(' ') },
      { key: 'clinic', term: t('book.clinicType'), value: coding(facts.clinicType) },
      { key: 'number', term: t('book.number'), value: facts.number === null ? '' : t('book.numberValue', { number: facts.number }) },
      { key: 'fee', term: t('book.fee'), value: facts.feeFen === null ? '' : `${money(facts.feeFen)} · ${t('book.payAtVisit')}` },
    ].filter((row) => row.value)
  }

  return { rowsOf }
}
