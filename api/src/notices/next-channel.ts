/** Which way of telling a person comes next: each once, in their order, the next when nobody has read the last by its deadline. Pure. */
import type { ChannelName } from './shapes.ts'

export interface Try {
  channel: ChannelName
  read: boolean
  /** Unread then: the next channel; null: there was none to follow. */
  readBy: Date | null
}

/** `channel` is to be used now, `left` counts those after it; else there is nothing to send before `wait`, or at all. */
export type NextChannel = { channel: ChannelName; left: number } | { channel: null; wait: Date | null }

/** @param tries in the order of sending. */
export function nextChannel(now: Date, channels: readonly ChannelName[], tries: readonly Try[]): NextChannel {
  const last = tries.at(-1)
  if (tries.some((each) => each.read) || (last && last.readBy === null)) return { channel: null, wait: null }
  if (last?.readBy && last.readBy > now) return { channel: null, wait: last.readBy }
  const [channel, ...rest] = channels.filter((each) => !tries.some((made) => made.channel === each))
  return channel === undefined ? { channel: null, wait: null } : { channel, left: rest.length }
}
