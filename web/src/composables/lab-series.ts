/**
 * Observations of one test through time, ready to be said and drawn: value, unit and reference of each point as they were
 * then, since methods change. Components of a panel (blood pressure) become series of their own. Pure.
 */
import type { CodeableConcept, Observation, ObservationComponent, Quantity } from '@medplum/fhirtypes'

export type Flag = 'high' | 'low' | 'normal' | null

export interface LabPoint {
  id: string
  /** Instant or day. */
  at: string
  value: number
  unit: string
  low: number | null
  high: number | null
  flag: Flag
  performer: Observation['performer']
  encounter: string | null
}

export interface LabSeries {
  key: string
  name: CodeableConcept
  category: string
  /** Oldest first. */
  points: LabPoint[]
  latest: LabPoint
}

type Measured = Pick<ObservationComponent, 'code' | 'valueQuantity' | 'referenceRange' | 'interpretation'>

export function labSeries(observations: readonly Observation[]): LabSeries[] {
  const found = new Map<string, { name: CodeableConcept; category: string; points: LabPoint[] }>()
  for (const observation of observations) {
    const at = observation.effectiveDateTime ?? observation.effectivePeriod?.start ?? observation.issued
    if (!at || observation.status === 'entered-in-error' || observation.status === 'cancelled') continue
    const category = observation.category?.[0]?.coding?.[0]?.code ?? ''
    const measured: Measured[] = [observation as Measured, ...(observation.component ?? [])]
    for (const each of measured) {
      const point = pointOf(observation, each, at)
      const key = keyOf(each.code)
      if (!point || !key || !each.code) continue
      const series = found.get(key) ?? { name: each.code, category, points: [] }
      series.points.push(point)
      found.set(key, series)
    }
  }
  return [...found].map(([key, series]) => {
    const points = series.points.sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    return { key, ...series, points, latest: points.at(-1) as LabPoint }
  }).sort(byConcern)
}

/** Out of range first, then the most recent. */
function byConcern(a: LabSeries, b: LabSeries): number {
  const off = (series: LabSeries) => Number(series.latest.flag === 'high' || series.latest.flag === 'low')
  return off(b) - off(a) || Date.parse(b.latest.at) - Date.parse(a.latest.at)
}

function pointOf(observation: Observation, each: Measured, at: string): LabPoint | null {
  const value = each.valueQuantity?.value
  if (value === undefined) return null
  const range = each.referenceRange?.[0]
  const low = numberOf(range?.low)
  const high = numberOf(range?.high)
  return {
    id: observation.id ?? '', at, value: Number(value), unit: each.valueQuantity?.unit ?? each.valueQuantity?.code ?? '', low, high,
    flag: flagOf(each, Number(value), low, high), performer: observation.performer, encounter: observation.encounter?.reference ?? null,
  }
}

function flagOf(each: Measured, value: number, low: number | null, high: number | null): Flag {
  const code = each.interpretation?.[0]?.coding?.[0]?.code ?? ''
  if (/^H/.test(code)) return 'high'
  if (/^L/.test(code)) return 'low'
  if (code === 'N') return 'normal'
  if (high !== null && value > high) return 'high'
  if (low !== null && value < low) return 'low'
  return low === null && high === null ? null : 'normal'
}

function numberOf(quantity: Quantity | undefined): number | null {
  return quantity?.value === undefined ? null : Number(quantity.value)
}

function keyOf(concept: CodeableConcept | undefined): string {
  const coding = concept?.coding?.[0]
  return coding?.code ? `${coding.system ?? ''}|${coding.code}` : concept?.text ?? ''
}

/** `3.9–6.1`, `≤ 5.2`, `≥ 1.0`; empty without a reference. */
export function rangeText(point: Pick<LabPoint, 'low' | 'high'>): string {
  if (point.low !== null && point.high !== null) return `${point.low}–${point.high}`
  if (point.high !== null) return `≤ ${point.high}`
  return point.low !== null ? `≥ ${point.low}` : ''
}
