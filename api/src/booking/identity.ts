/**
 * Is whoever stands at the desk the patient of the appointment? The name and the number of a document, as a card reader or a person types
 * them, against the Patient. Places are not handed over: whoever is somebody else is refused, and not told whose place it is.
 */
import type { Patient } from '@medplum/fhirtypes'
import { fail, type OutcomeError } from '../fhir/outcome.ts'
import { normalizeResidentId } from '../fhir/resident-id.ts'

export interface ShownIdentity {
  name: string
  /** Number of the identity, social security or record card. */
  document: string
}

export function isSamePerson(patient: Patient | null, shown: ShownIdentity): boolean {
  const names = (patient?.name ?? []).map((each) => plainName(each.text ?? [each.family, ...(each.given ?? [])].join('')))
  const documents = (patient?.identifier ?? []).map((each) => normalizeResidentId(each.value ?? ''))
  const [name, document] = [plainName(shown.name), normalizeResidentId(shown.document)]
  return name !== '' && document !== '' && names.includes(name) && documents.includes(document)
}

/** @throws OutcomeError `identity-mismatch`. */
export function assertSamePerson(patient: Patient | null, shown: ShownIdentity): void {
  if (!isSamePerson(patient, shown)) throw identityMismatch()
}

function identityMismatch(): OutcomeError {
  return fail('identity-mismatch', {
    zh: '姓名或证件与预约的就诊人不一致，不能签到。号源不能转让，请到人工窗口核对。', en: 'The name or document is not that of the patient of this appointment. Places cannot be handed over; please ask at the desk.',
  })
}

/** Width, case, spaces and the dots between names make no other person. */
function plainName(text: string): string {
  return text.normalize('NFKC').replace(/[\s·•‧・.]/g, '').toLowerCase()
}

/** 张*三 for a screen that others see. */
export function maskedName(name: string): string {
  const letters = [...name]
  if (letters.length < 2) return '*'
  return letters.length === 2 ? `${letters[0]}*` : `${letters[0]}${'*'.repeat(letters.length - 2)}${letters.at(-1)}`
}
