/**
 * `$find` answers a Parameters resource with one `session` a clinic session, whose parts mirror `SessionOffer`. This turns
 * them into that shape, in the order of the server. Pure.
 */
import type { Parameters, ParametersParameter } from '@medplum/fhirtypes'
import type { Named, SessionOffer } from '@pujiang/api/booking/shapes.ts'
import { text } from '../i18n/fhir-text.ts'
import { fenOf } from '../i18n/format.ts'
import { idOf } from './fhir.ts'

export type { SessionOffer } from '@pujiang/api/booking/shapes.ts'

type Parts = readonly ParametersParameter[]

export function offersOf(answer: Parameters): SessionOffer[] {
  return (answer.parameter ?? []).filter((each) => each.name === 'session').map((each) => offerOf(each.part ?? []))
}

function offerOf(parts: Parts): SessionOffer {
  const start = instant(parts, 'start')
  return {
    schedule: id(parts, 'schedule'),
    organization: { id: id(parts, 'organization'), name: nameOfReference(parts, 'organization') },
    department: departmentOf(parts),
    practitioner: { id: id(parts, 'practitioner'), name: nameOfReference(parts, 'practitioner') },
    title: code(parts, 'title'),
    clinicType: code(parts, 'clinicType'),
    date: part(parts, 'date')?.valueDate ?? start.slice(0, 10),
    half: halfOf(code(parts, 'half'), start),
    start,
    end: instant(parts, 'end'),
    feeFen: fenOf(part(parts, 'fee')?.valueMoney?.value),
    insured: part(parts, 'insured')?.valueBoolean ?? true,
    free: count(parts, 'free'),
    capacity: count(parts, 'capacity'),
    segments: parts.filter((each) => each.name === 'segment').map((each) => segmentOf(each.part ?? [])),
  }
}

function segmentOf(parts: Parts): SessionOffer['segments'][number] {
  return { start: instant(parts, 'start'), end: instant(parts, 'end'), free: count(parts, 'free'), slot: idOf(part(parts, 'slot')?.valueReference) }
}

/** Part names are written in camel case or with hyphens; both mean the same. */
function part(parts: Parts, name: string): ParametersParameter | undefined {
  const hyphened = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return parts.find((each) => each.name === name || each.name === hyphened)
}

function id(parts: Parts, name: string): string {
  const found = part(parts, name)
  return idOf(found?.valueReference) ?? found?.valueId ?? found?.valueString ?? ''
}

function nameOfReference(parts: Parts, name: string): Named {
  const found = part(parts, name)?.valueReference
  return { zh: text(found, 'display', 'zh'), en: text(found, 'display', 'en') }
}

function departmentOf(parts: Parts): SessionOffer['department'] {
  const found = part(parts, 'department') ?? part(parts, 'specialty')
  const coding = found?.valueCoding ?? found?.valueCodeableConcept?.coding?.[0]
  return { code: coding?.code ?? '', name: { zh: text(coding, 'display', 'zh'), en: text(coding, 'display', 'en') } }
}

function code(parts: Parts, name: string): string {
  const found = part(parts, name)
  return found?.valueCoding?.code ?? found?.valueCode ?? found?.valueCodeableConcept?.coding?.[0]?.code ?? found?.valueString ?? ''
}

function instant(parts: Parts, name: string): string {
  const found = part(parts, name)
  return found?.valueInstant ?? found?.valueDateTime ?? ''
}

function count(parts: Parts, name: string): number {
  const found = part(parts, name)
  return found?.valueInteger ?? found?.valueUnsignedInt ?? found?.valuePositiveInt ?? 0
}

function halfOf(value: string, start: string): SessionOffer['half'] {
  if (value === 'am' || value === 'pm' || value === 'night') return value
  const hour = Number(start.slice(11, 13))
  return hour < 12 ? 'am' : hour < 17 ? 'pm' : 'night'
}
