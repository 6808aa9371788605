/**
 * Who is signed in, for whom they act, and in which language: the only module-level state of the portal.
 * `person` is the FHIR id of the Patient whose affairs are on the page; it is kept per tab, so that two tabs may act for
 * two people.
 */
import { computed, reactive, ref } from 'vue'
import { type Me, whoAmI } from './api/account.ts'

export type Language = 'zh' | 'en'

export const language = ref<Language>(kept(() => localStorage.getItem('language')) === 'en' ? 'en' : 'zh')

const signedInKey = 'signed-in'

export const session = reactive({
  me: null as Me | null,
  /** False until the server has said who this is. */
  known: false,
  /** FHIR id of the Patient chosen in the family switcher; null for professionals. */
  person: null as string | null,
  /** Milliseconds the server's clock is ahead of this device's. */
  clockAhead: 0,
})

export const people = computed(() => session.me?.people ?? [])
/** Where a professional works, in the language of the page; empty for citizens. */
export const workplace = computed(() => session.me?.workplace?.[language.value] ?? '')
export const person = computed(() => people.value.find((each) => each.patient === session.person) ?? people.value[0] ?? null)

export function adopt(me: Me | null): void {
  session.me = me
  kept(() => (me ? localStorage.setItem(signedInKey, 'yes') : localStorage.removeItem(signedInKey)))
  session.known = true
  if (!me) {
    session.person = null
    return
  }
  session.clockAhead = Date.parse(me.now) - Date.now()
  const wanted = kept(() => sessionStorage.getItem('person'))
  session.person = me.people.find((each) => each.patient === wanted)?.patient ?? me.people[0]?.patient ?? me.patient
}

/** A device where nobody signed in need not ask who it is. Where storage is forbidden we ask all the same. */
export async function loadSession(): Promise<void> {
  const mayBeSignedIn = kept(() => localStorage.getItem(signedInKey) !== null) ?? true
  adopt(mayBeSignedIn ? await whoAmI() : null)
}

export function actFor(patient: string): void {
  session.person = patient
  kept(() => sessionStorage.setItem('person', patient))
}

/** The server's clock now, as an instant; pages take "today" from here, never from the device. */
export function serverNow(): Date {
  return new Date(Date.now() + session.clockAhead)
}

/** Storage may be forbidden by the browser; the portal works without it. */
function kept<T>(action: () => T): T | null {
  try {
    return action()
  } catch {
    return null
  }
}
