/** Types and readers of appointments for components, which know composables but not the api folder. */
import { idOf } from '../api/fhir.ts'

export type { AppointmentFacts } from '../api/appointment-facts.ts'
export type { ListedPatient } from '../api/clinic.ts'
export const idOfReference = idOf
