/**
 * FHIR dates and instants: which texts are valid, and which stretch of time each of them means. All arithmetic on time is
 * here. Invariant: a text without a zone is read at +08:00, the city's zone, on the writing and on the searching side.
 * Source: FHIR R4 2.24.0.1 (date, dateTime, instant, time) and 3.1.1.5.4 (a date is the whole day).
 */

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
/** Asia/Shanghai as a fixed offset. (Its summer times of 1940-1949 and 1986-1991 are left out, on purpose, on both sides.) */
export const cityOffsetMinutes = 8 * 60

/** Ends of an open period: the first and last instant that FHIR can write. Finite, so that every driver and JSON can carry them. */
export const openStart = Date.UTC(2001, 0, 1) - 2000 * 365.2425 * day
export const openEnd = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** What a text means, in milliseconds since 1970, both ends included. */
export interface TimeRange { lo: number; hi: number }

const pattern = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/

/**
 * The range of a date or dateTime, null when it is none or not in the calendar. A time without seconds or without a zone
 * is taken too: search values may have it, resources may not (see `isDateTime`).
 */
export function timeRange(text: string): TimeRange | null {
  const range = unboundedRange(text)
  if (!range) return null
  // A zone may carry the first and the last day out of the years that FHIR and PostgreSQL can write.
  return range.lo >= openStart && range.hi <= openEnd ? range : { lo: bounded(range.lo), hi: bounded(range.hi) }
}

function bounded(milliseconds: number): number {
  return Math.min(Math.max(milliseconds, openStart), openEnd)
}

function unboundedRange(text: string): TimeRange | null {
  const match = pattern.exec(text)
  if (!match) return null
  const [, years, months, days, hours, minutes, seconds, fraction, zone] = match
  const year = Number(years)
  if (year === 0) return null
  if (months === undefined) return span(year, 0, 1, year + 1, 0, 1)
  const month = Number(months) - 1
  if (month < 0 || month > 11) return null
  if (days === undefined) return span(year, month, 1, month === 11 ? year + 1 : year, (month + 1) % 12, 1)
  const date = Number(days)
  if (date < 1 || date > daysInMonth(year, month)) return null
  const start = utc(year, month, date)
  if (hours === undefined) return { lo: start - cityOffsetMinutes * minute, hi: start - cityOffsetMinutes * minute + day - 1 }
  const offset = zone === undefined ? cityOffsetMinutes : zoneMinutes(zone)
  if (offset === null || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds ?? 0) > 60) return null
  const lo = start + Number(hours) * hour + (Number(minutes) - offset) * minute + Number(seconds ?? 0) * 1000
  if (seconds === undefined) return { lo, hi: lo + minute - 1 }
  if (fraction === undefined) return { lo, hi: lo + 999 }
  const millisecond = lo + Number(fraction.slice(0, 3).padEnd(3, '0'))
  const width = fraction.length === 1 ? 100 : fraction.length === 2 ? 10 : 1
  return { lo: millisecond, hi: millisecond + width - 1 }
}

/** A FHIR date: a year, a month or a day that the calendar has. */
export function isDate(text: string): boolean {
  return text.length <= 10 && timeRange(text) !== null
}

/** A FHIR dateTime: a date, or a date with a time to the second and a zone. */
export function isDateTime(text: string): boolean {
  return (text.length <= 10 || withZone.test(text)) && timeRange(text) !== null
}

/** A FHIR instant: to the second at least, with a zone. */
export function isInstant(text: string): boolean {
  return withZone.test(text) && timeRange(text) !== null
}

const withZone = /T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

/** A FHIR time of day, to the second, without a zone. */
export function isTime(text: string): boolean {
  return /^(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?$/.test(text)
}

/** Whether a time is given without a zone, the commonest fault of a dateTime. */
export function lacksZone(text: string): boolean {
  return text.includes('T') && !/(?:Z|[+-]\d\d:\d\d)$/.test(text) && timeRange(text) !== null
}

/** `2026-11-23T08:00:00.000Z` of milliseconds. */
export function instantText(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

function span(year: number, month: number, date: number, nextYear: number, nextMonth: number, nextDate: number): TimeRange {
  return {
    lo: utc(year, month, date) - cityOffsetMinutes * minute,
    hi: utc(nextYear, nextMonth, nextDate) - cityOffsetMinutes * minute - 1,
  }
}

/** Date.UTC reads years below 100 as 19xx. */
function utc(year: number, month: number, date: number): number {
  return year >= 100 ? Date.UTC(year, month, date) : Date.UTC(year + 400, month, date) - 146_097 * day
}

function daysInMonth(year: number, month: number): number {
  if (month === 1) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 3 || month === 5 || month === 8 || month === 10 ? 30 : 31
}

function zoneMinutes(zone: string): number | null {
  if (zone === 'Z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(4, 6))
  if (hours > 14 || minutes > 59 || (hours === 14 && minutes > 0)) return null
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes)
}

/** `2026-11-23T08:30:00+08:00`, as people in the city read an instant; milliseconds only where there are some. */
export function instantInShanghai(at: Date): string {
  return `${inCity(at).toISOString().replace(/(\.000)?Z$/, '')}+08:00`
}

/** `2026-11-23`, the day it is in the city at an instant. */
export function dayInShanghai(at: Date): string {
  return inCity(at).toISOString().slice(0, 10)
}

/** `08:30`, the clock in the city at an instant. */
export function clockInShanghai(at: Date): string {
  return inCity(at).toISOString().slice(11, 16)
}

function inCity(at: Date): Date {
  return new Date(at.getTime() + cityOffsetMinutes * minute)
}

/** Midnight in the city at the beginning of a day `YYYY-MM-DD`. */
export function startOfDay(text: string): Date {
  return new Date(`${text}T00:00:00+08:00`)
}

/** The day that many days after another, both `YYYY-MM-DD`. */
export function addDays(text: string, days: number): string {
  return new Date(Date.parse(`${text}T00:00:00Z`) + days * day).toISOString().slice(0, 10)
}

export function addMinutes(at: Date, minutes: number): Date {
  return new Date(at.getTime() + minutes * minute)
}

/** Minutes after midnight in the city, 0 to 1439. */
export function minuteOfDay(at: Date): number {
  const city = inCity(at)
  return city.getUTCHours() * 60 + city.getUTCMinutes()
}

export function addSeconds(at: Date, seconds: number): Date {
  return new Date(at.getTime() + seconds * 1000)
}
