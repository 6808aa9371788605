/** Choosing where a patient is sent: a department, a hospital that has places in it, a doctor there or anybody. */
import { useQuery } from '@tanstack/vue-query'
import { computed, ref, watch } from 'vue'
import { availability, departments, findSessions } from '../api/booking.ts'
import type { Target } from '../api/referral.ts'
import { addDays } from '../i18n/format.ts'
import { useText } from './use-text.ts'

const daysAhead = 21

export function useTarget() {
  const { t, named, today } = useText()
  const department = ref('')
  const organization = ref('')
  const practitioner = ref('')
  const catalogue = useQuery({ queryKey: ['departments'], queryFn: ({ signal }) => departments(signal), staleTime: 60_000 })
  const hospitals = useQuery({ queryKey: ['availability', department], queryFn: ({ signal }) => availability(department.value, signal), enabled: () => department.value !== '' })
  const sessions = useQuery({
    queryKey: ['doctors-to-refer', department, organization],
    queryFn: ({ signal }) => findSessions({ specialty: department.value, organization: organization.value, channel: 'gp', start: today.value, end: addDays(today.value, daysAhead) }, signal),
    enabled: () => department.value !== '' && organization.value !== '',
  })
  const choose = computed(() => ({ value: '', text: t('referral.choose') }))
  const choices = computed(() => ({
    departments: [choose.value, ...(catalogue.data.value ?? []).filter((each) => each.hospitals > 0).map((each) => ({ value: each.code, text: named(each) }))],
    hospitals: [choose.value, ...(hospitals.data.value ?? []).map((each) => ({ value: each.organization, text: named(each.name) }))],
    doctors: [{ value: '', text: t('referral.anyDoctor') }, ...new Map((sessions.data.value ?? []).map((each) => [each.practitioner.id, { value: each.practitioner.id, text: named(each.practitioner.name) }])).values()],
  }))
  watch(department, () => { organization.value = '' })
  watch(organization, () => { practitioner.value = '' })

  /** Null until department and hospital are chosen. */
  const target = computed<Target | null>(() => (department.value && organization.value ? { department: department.value, organization: organization.value, practitioner: practitioner.value || null } : null))
  return { department, organization, practitioner, choices, target }
}
