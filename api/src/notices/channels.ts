/**
 * The port to the world outside: how a person is told. An adapter hands one message over and knows a message it had before by its id, so
 * that handing it over again after a crash reaches nobody twice. It answers within seconds or throws: the caller holds a lock meanwhile.
 */
import type { Language } from '../fhir/outcome.ts'
import type { ChannelName } from './shapes.ts'

export const channelNames: readonly ChannelName[] = ['app', 'sms', 'phone']

export interface Message {
  /** A uuid; the same id is the same message. */
  id: string
  pid: string
  /** A phone number, or the FHIR id of the Patient for the app. */
  address: string
  language: Language
  body: string
  /** FHIR id of what it is about; null where the message may not say. */
  appointment: string | null
  at: Date
}

export interface Channel {
  send(message: Message): Promise<void>
  /** Takes a message back. @returns false where that cannot be done: what was sent is with the person. */
  recall(message: Pick<Message, 'id' | 'pid' | 'at'>): Promise<boolean>
}

export type Channels = Readonly<Partial<Record<ChannelName, Channel>>>
