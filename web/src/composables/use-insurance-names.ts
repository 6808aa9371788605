/**
 * What the insurer has as codes, in words of the reader: institutions as the directory names them, regions, schemes. What has no name here, an
 * institution of another city for one, stays a code.
 */
import type { Organization } from '@medplum/fhirtypes'
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { searchAll } from '../api/fhir.ts'
import { text } from '../i18n/fhir-text.ts'
import { useText } from './use-text.ts'

const institutionSystem = 'https://pujiang.health/fhir/sid/institution-code'
const codesMax = 50

/** @param institutions codes of those that are shown; asked for together, a page of them at most. */
export function useInsuranceNames(institutions: () => readonly string[] = () => []) {
  const { t, language } = useText()
  const { te } = useI18n()
  const wanted = computed(() => [...new Set(institutions())].sort().slice(0, codesMax))
  const asked = useQuery({
    queryKey: ['institutions', wanted], staleTime: Number.POSITIVE_INFINITY, enabled: () => wanted.value.length > 0,
    queryFn: ({ signal }) => searchAll<Organization>('Organization', { identifier: wanted.value.map((code) => `${institutionSystem}|${code}`).join(','), _count: codesMax }, 2, signal),
  })
  const known = computed(() => new Map((asked.data.value?.matches ?? []).flatMap((each) =>
    (each.identifier ?? []).filter(({ system }) => system === institutionSystem).map(({ value }) => [value ?? '', each] as const))))
  const nameOf = (code: string): string => text(known.value.get(code), 'name', language.value)
  const word = (key: string, code: string): string => (te(key) ? t(key) : code)
  return {
    /** The name; the code where there is none. */
    institution: (code: string) => nameOf(code) || code,
    /** The name with its code; the code alone where there is no name. */
    institutionAndCode: (code: string) => (nameOf(code) === '' ? code : t('officer.institution', { name: nameOf(code), code })),
    region: (code: string) => word(`officer.regions.${code}`, code),
    scheme: (code: number) => word(`officer.schemes.${code}`, String(code)),
  }
}
