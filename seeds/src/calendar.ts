/**
 * Days of the city's calendar as whole numbers since 1970-01-01, so that arithmetic needs no Date and no time zone.
 * Instants are written with the city's offset, +08:00, which has no daylight saving.
 */

/** Days since 1970-01-01 in Asia/Shanghai. */
export type Day = number

const shanghaiOffsetMinutes = 480
const minuteMs = 60_000
const dayMs = 86_400_000

export function dayOf(text: string): Day {
  const [year = 1970, month = 1, date = 1] = text.split('-').map(Number)
  return Date.UTC(year, month - 1, date) / dayMs
}

/** The day it is in Shanghai at an instant. */
export function shanghaiDay(at: Date): Day {
  return Math.floor((at.getTime() + shanghaiOffsetMinutes * minuteMs) / dayMs)
}

const texts = new Map<Day, string>()

/** YYYY-MM-DD. */
export function dayText(day: Day): string {
  let text = texts.get(day)
  if (text === undefined) {
    text = new Date(day * dayMs).toISOString().slice(0, 10)
    texts.set(day, text)
  }
  return text
}

/** An instant such as 2026-11-23T08:30:00+08:00. */
export function instant(day: Day, minutes: number): string {
  const hour = String(Math.floor(minutes / 60)).padStart(2, '0')
  const minute = String(minutes % 60).padStart(2, '0')
  return `${dayText(day)}T${hour}:${minute}:00+08:00`
}

/** The same instant in milliseconds since 1970. */
export function instantMs(day: Day, minutes: number): number {
  return day * dayMs + (minutes - shanghaiOffsetMinutes) * minuteMs
}

export function yearOf(day: Day): number {
  return Number(dayText(day).slice(0, 4))
}

/** 1..12. */
export function monthOf(day: Day): number {
  return Number(dayText(day).slice(5, 7))
}

/** The same date in another year; 29 February becomes 28 February where it must. */
export function addYears(day: Day, years: number): Day {
  const text = dayText(day)
  const year = Number(text.slice(0, 4)) + years
  const date = text.slice(5) === '02-29' && !(year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)) ? '02-28' : text.slice(5)
  return dayOf(`${year}-${date}`)
}

export function addMonths(day: Day, months: number): Day {
  const [year = 0, month = 1, date = 1] = dayText(day).split('-').map(Number)
  const lastDate = new Date(Date.UTC(year, month + months, 0)).getUTCDate()
  return Date.UTC(year, month - 1 + months, Math.min(date, lastDate)) / dayMs
}

/** Whole years lived on a day. */
export function ageOn(birth: Day, day: Day): number {
  const born = dayText(birth)
  const now = dayText(day)
  const years = Number(now.slice(0, 4)) - Number(born.slice(0, 4))
  return now.slice(5) >= born.slice(5) ? years : years - 1
}
