/**
 * Numbers, quantities and dates as ranges. A stored number is that number, however many digits it is written with; one that is searched for
 * means every number that rounds to it (100 is 99.5 to 100.5, 5.40 is 5.395 to 5.405). A date is all of its day, month or year. Open ends are
 * the largest numbers there are.
 * Source: FHIR R4 3.1.1.4.3 (number), 3.1.1.4.5 (date), 3.1.1.4.11 (quantity), 3.1.1.5.2 (precision).
 */
import { openEnd, openStart, timeRange } from '../../fhir/date-time.ts'
import { decimalText } from '../../fhir/json.ts'
import type { Collect, Sink } from '../index-resource.ts'
import { paramKey } from './keys.ts'
import { type QuantityLike, storedUnits } from './units.ts'

export interface Range { lo: number; hi: number }

const largest = Number.MAX_VALUE
const currencySystem = 'urn:iso:std:iso:4217'

/** A stored number; null when it is none. */
function exactRange(text: string | undefined): Range | null {
  const range = text === undefined ? null : precisionRange(text)
  return range === null ? null : { lo: Number(text), hi: Number(text) }
}

/** The range a searched number stands for, from its text: half a unit of its last digit to both sides. Null when it is no number. */
export function precisionRange(text: string): Range | null {
  const match = /^-?\d+(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)
  if (!match) return null
  const value = Number(text)
  if (!Number.isFinite(value)) return null
  const half = 0.5 * 10 ** (Number(match[2] ?? 0) - (match[1]?.length ?? 0))
  return { lo: value - half, hi: value + half }
}

export function dateCollector(type: string, code: string, fhirType: string, clinical: boolean): Collect | null {
  const k = paramKey(type, code)
  const add = clinical
    ? (sink: Sink, { lo, hi }: Range): void => {
      if (!(sink.lo <= lo)) sink.lo = lo
      if (!(sink.hi >= hi)) sink.hi = hi
    }
    : (sink: Sink, { lo, hi }: Range): void => { sink.values.push({ k, lo: lo / 1000, hi: hi / 1000 }) }
  switch (fhirType) {
    case 'date': case 'dateTime': case 'instant': case 'string': return (value, sink) => {
      const range = typeof value === 'string' ? timeRange(value) : null
      if (range) add(sink, range)
    }
    case 'Period': return (value, sink) => {
      const range = periodRange(value)
      if (range) add(sink, range)
    }
    case 'Timing': return (value, sink) => {
      const range = timingRange(value)
      if (range) add(sink, range)
    }
    default: return null
  }
}

function periodRange(period: unknown): Range | null {
  const { start, end } = period as { start?: unknown; end?: unknown }
  const from = typeof start === 'string' ? timeRange(start) : null
  const to = typeof end === 'string' ? timeRange(end) : null
  if (!from && !to) return null
  const lo = from?.lo ?? openStart
  const hi = to?.hi ?? openEnd
  // A period that ends before it starts (FHIR calls it invalid) is the time between: ranges in the database must not be reversed.
  return lo <= hi ? { lo, hi } : { lo: hi, hi: lo }
}

/** From the first to the last event, or the bounds of its repetition. */
function timingRange(timing: unknown): Range | null {
  const { event, repeat } = timing as { event?: unknown; repeat?: { boundsPeriod?: unknown } | null }
  const ranges = (Array.isArray(event) ? event : []).map((each) => (typeof each === 'string' ? timeRange(each) : null)).filter((each) => each !== null)
  const bounds = repeat?.boundsPeriod ? periodRange(repeat.boundsPeriod) : null
  if (bounds) ranges.push(bounds)
  return ranges.length ? { lo: Math.min(...ranges.map((each) => each.lo)), hi: Math.max(...ranges.map((each) => each.hi)) } : null
}

export function valueCollector(type: string, code: string, fhirType: string): Collect | null {
  const k = paramKey(type, code)
  const number = (_: unknown, sink: Sink, holder: object, key: string): void => {
    const range = exactRange(decimalText(holder, key))
    if (range) sink.values.push({ k, lo: range.lo, hi: range.hi })
  }
  const withUnit = (sink: Sink, range: Range, quantity: QuantityLike): void => {
    sink.values.push({ k, lo: range.lo, hi: range.hi })
    for (const each of storedUnits(type, code, quantity)) sink.values.push({ k: each.k, ...each.convert(range) })
  }
  switch (fhirType) {
    case 'decimal': case 'integer': case 'positiveInt': case 'unsignedInt': return number
    case 'Quantity': case 'Age': case 'Duration': case 'Count': case 'Distance': return (value, sink) => {
      const range = quantityRange(value as QuantityLike)
      if (range) withUnit(sink, range, value as QuantityLike)
    }
    case 'Money': return (value, sink) => {
      const { currency } = value as { currency?: unknown }
      const range = quantityRange(value as QuantityLike)
      if (range) withUnit(sink, range, { system: currencySystem, code: currency })
    }
    case 'Range': return (value, sink) => {
      const { low, high } = value as { low?: QuantityLike | null; high?: QuantityLike | null }
      const from = low ? quantityRange(low) : null
      const to = high ? quantityRange(high) : null
      if (from || to) withUnit(sink, { lo: from?.lo ?? -largest, hi: to?.hi ?? largest }, low ?? high ?? {})
    }
    default: return null
  }
}

function quantityRange(quantity: QuantityLike): Range | null {
  const range = exactRange(decimalText(quantity, 'value'))
  if (!range) return null
  switch (quantity.comparator) {
    case '<': case '<=': return { lo: -largest, hi: range.hi }
    case '>': case '>=': return { lo: range.lo, hi: largest }
    default: return range
  }
}
