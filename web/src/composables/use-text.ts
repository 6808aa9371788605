/** The formats of `i18n/` bound to the reader's language, so that a page writes `day(value)` and not the language each time. */
import type { CodeableConcept, Coding, HumanName, Reference } from '@medplum/fhirtypes'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import * as fhirText from '../i18n/fhir-text.ts'
import * as format from '../i18n/format.ts'
import { language, serverNow } from '../session.ts'

export function useText() {
  const { t } = useI18n()
  const today = computed(() => format.dayOf(serverNow()))

  return {
    t,
    language,
    today,
    named: (value: { zh: string; en: string } | null | undefined) => value?.[language.value] || value?.zh || '',
    concept: (value: CodeableConcept | undefined) => fhirText.conceptText(value, language.value),
    concepts: (value: CodeableConcept[] | undefined) => fhirText.conceptsText(value, language.value),
    coding: (value: Coding | undefined) => fhirText.codingText(value, language.value),
    reference: (value: Reference | undefined) => fhirText.referenceText(value, language.value),
    personName: (value: HumanName[] | undefined) => fhirText.nameText(value, language.value),
    text: (owner: object | undefined | null, element: string) => fhirText.text(owner, element, language.value),
    shortDay: (value: string) => format.shortDay(value, language.value),
    weekday: (value: string) => format.weekday(value, language.value),
    longDay: (value: string) => format.longDay(value, language.value),
    /** 11月23日 周一 this year, with the year otherwise. */
    listDay: (value: string) => {
      const day = format.dayOf(value)
      return day.slice(0, 4) === today.value.slice(0, 4) ? `${format.shortDay(day, language.value)} ${format.weekday(day, language.value)}` : format.longDay(day, language.value)
    },
    plainDay: (value: string) => format.plainDay(value, language.value),
    dayAndTime: (value: string) => format.dayAndTime(value, language.value),
    /** 今天 and 明天 where they fit, else the weekday. */
    nearDay: (value: string) => {
      if (value === today.value) return t('day.today')
      if (value === format.addDays(today.value, 1)) return t('day.tomorrow')
      return format.weekday(value, language.value)
    },
    /** As short as a day can be said: today, tomorrow, the weekday within a week, then the date. */
    chipDay: (value: string) => {
      if (value === today.value) return t('day.today')
      if (value === format.addDays(today.value, 1)) return t('day.tomorrow')
      return value < format.addDays(today.value, 7) ? format.weekday(value, language.value) : format.shortDay(value, language.value)
    },
    age: (birthDate: string) => {
      const { count, unit } = format.ageAt(birthDate, today.value)
      return t(`age.${unit}`, { count })
    },
    money: format.money,
    timeOf: format.timeOf,
    dayOf: format.dayOf,
  }
}
