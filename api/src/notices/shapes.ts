/** JSON shapes of /api/notices and /api/messages, imported by the portal as types. */

/** GET /api/notices[?patient=…]: the caller's own inbox, or that of a patient they act for; newest first. */
export interface Notice {
  id: string
  /** Key of the sentence under `notice` in the language files. */
  kind: string
  params: Record<string, string | number | { zh: string; en: string } | null>
  /** FHIR id of the Appointment it is about; null when it is about none. */
  appointment: string | null
  at: string
  read: boolean
}

/** app: behind the sign-in; sms: a text message; phone: a call that speaks it. */
export type ChannelName = 'app' | 'sms' | 'phone'

/** GET and PUT /api/messages/preference?patient=…: channels in the order they are tried; none: no reminders. */
export interface ContactPreference { channels: ChannelName[]; language: 'zh' | 'en' }

/** GET /api/messages?patient=…: what the demonstration's telephone and app received, newest first. */
export interface DemoMessage {
  id: string
  channel: ChannelName
  /** Masked number; empty for the app. */
  address: string
  language: 'zh' | 'en'
  body: string
  /** FHIR id of the Appointment; null where the channel does not say. */
  appointment: string | null
  at: string
  read: boolean
  /** Taken back: the visit was cancelled or moved. */
  recalled: boolean
}

/** GET /api/messages/counts, for the system administrator: figures of a day, no names and no texts. */
export interface MessageCount { day: string; channel: ChannelName; sent: number; read: number; revoked: number }
