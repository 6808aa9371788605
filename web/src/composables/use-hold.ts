/**
 * The one place a person holds while checking. Going back and forward again finds the same hold; choosing another time
 * lets the former go first, so that nobody's place is blocked by a change of mind.
 */
import { book, hold, release } from '../api/booking.ts'
import { appointmentFacts } from '../api/appointment-facts.ts'
import { serverNow } from '../session.ts'

interface Held { slot: string; patient: string; appointment: string; expiresAt: string }
const key = 'held-place'

export function useHold() {
  function kept(): Held | null {
    try {
      const held = JSON.parse(sessionStorage.getItem(key) ?? 'null') as Held | null
      return held && Date.parse(held.expiresAt) > serverNow().getTime() + 5_000 ? held : null
    } catch {
      return null
    }
  }

  function keep(held: Held | null): void {
    try {
      if (held) sessionStorage.setItem(key, JSON.stringify(held))
      else sessionStorage.removeItem(key)
    } catch { /* Without storage a second visit to the page holds anew. */ }
  }

  /** Answers the id of the held Appointment. Throws `slot-taken`, `patient-busy` and the other booking codes. */
  async function take(slot: string, patient: string): Promise<string> {
    const before = kept()
    if (before?.slot === slot && before.patient === patient) return before.appointment
    if (before) await letGo(before.appointment)
    const facts = appointmentFacts(await hold(slot, patient))
    keep({ slot, patient, appointment: facts.id, expiresAt: facts.expiresAt ?? '' })
    return facts.id
  }

  async function confirm(appointment: string): Promise<void> {
    await book(appointment)
    keep(null)
  }

  /** Best effort: an unreleased hold ends by itself. */
  async function letGo(appointment: string): Promise<void> {
    keep(null)
    await release(appointment).catch(() => undefined)
  }

  return { take, confirm, letGo }
}
