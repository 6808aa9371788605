/**
 * Instants and days. The only place that does arithmetic on Date. The city's zone is Asia/Shanghai, which has been +08:00
 * without daylight saving since 1991; instants for people carry that offset, days are `YYYY-MM-DD` of that zone.
 */
const minuteMs = 60_000
const dayMs = 86_400_000
const shanghaiOffsetMs = 8 * 60 * minuteMs

/** `2026-11-23T08:30:00+08:00`; milliseconds only when there are some. */
export function instantInShanghai(at: Date): string {
  return `${new Date(at.getTime() + shanghaiOffsetMs).toISOString().replace(/(\.000)?Z$/, '')}+08:00`
}

/** The day it is in Shanghai at an instant. */
export function dayInShanghai(at: Date): string {
  return new Date(at.getTime() + shanghaiOffsetMs).toISOString().slice(0, 10)
}

/** `08:30`, the clock in Shanghai at an instant. */
export function clockInShanghai(at: Date): string {
  return new Date(at.getTime() + shanghaiOffsetMs).toISOString().slice(11, 16)
}

/** Midnight in Shanghai at the beginning of a day. */
export function startOfDay(day: string): Date {
  return new Date(`${day}T00:00:00+08:00`)
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * dayMs).toISOString().slice(0, 10)
}

export function addMinutes(at: Date, minutes: number): Date {
  return new Date(at.getTime() + minutes * minuteMs)
}

export function addSeconds(at: Date, seconds: number): Date {
  return new Date(at.getTime() + seconds * 1000)
}

/** True for a day of the calendar written `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

/**
 * A FHIR date or dateTime as the half-open span of instants it may mean; a day, month or year is read in Shanghai, and so is
 * a time without offset. Null when it is not a real date.
 */
export function spanOf(text: string): { from: Date; until: Date } | null {
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/.exec(text)
  if (!match) return null
  const [, year, month, day, hour, minute, second, fraction, zone] = match
  if (!isDay(`${year}-${month ?? '01'}-${day ?? '01'}`) || Number(hour ?? 0) > 23 || Number(minute ?? 0) > 59 || Number(second ?? 0) > 59) return null
  const from = new Date(`${year}-${month ?? '01'}-${day ?? '01'}T${hour ?? '00'}:${minute ?? '00'}:${second ?? '00'}${(fraction ?? '').slice(0, 4)}${zone ?? '+08:00'}`)
  if (Number.isNaN(from.getTime())) return null
  return { from, until: spanEnd(from, { month, day, hour, second, fraction }) }
}

function spanEnd(from: Date, given: Record<'month' | 'day' | 'hour' | 'second' | 'fraction', string | undefined>): Date {
  if (given.fraction !== undefined) return new Date(from.getTime() + 1)
  if (given.second !== undefined) return addSeconds(from, 1)
  if (given.hour !== undefined) return addMinutes(from, 1)
  if (given.day !== undefined) return new Date(from.getTime() + dayMs)
  const local = new Date(from.getTime() + shanghaiOffsetMs)
  if (given.month !== undefined) local.setUTCMonth(local.getUTCMonth() + 1)
  else local.setUTCFullYear(local.getUTCFullYear() + 1)
  return new Date(local.getTime() - shanghaiOffsetMs)
}
