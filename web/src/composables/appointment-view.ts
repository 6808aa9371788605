/** The type of an appointment's facts, for components, which know composables but not the api folder. */
export type { AppointmentFacts } from '../api/appointment-facts.ts'
