/** Offers as `$find` answers them: a Parameters resource as JSON text, put together of pieces that are printed once and sent many times. */
import type { ParametersParameter } from '@medplum/fhirtypes'
import { clinicTypeCoding, coding, moneyOfFen, reference, systems, titleCoding } from './fhir-names.ts'
import type { SessionOffer } from './shapes.ts'

/** An offer and how far it is, where that was asked. */
export interface Found { offer: SessionOffer; km: number | null }

/** The parts of an offer as the answer has them, printed once as long as the offer is kept; of the last that were asked for. */
const printed = new Map<SessionOffer, Buffer>()
const printedMax = 5_000

function printedParts(offer: SessionOffer): Buffer {
  let bytes = printed.get(offer)
  if (bytes === undefined) {
    const [oldest] = printed.size < printedMax ? [] : printed.keys()
    if (oldest) printed.delete(oldest)
    printed.set(offer, bytes = Buffer.from(partsOf(offer).map((part) => JSON.stringify(part)).join(',')))
  }
  return bytes
}

const punctuation = Object.fromEntries(Object.entries({
  none: '{"resourceType":"Parameters"}', opening: '{"resourceType":"Parameters","parameter":[', session: '{"name":"session","part":[', end: ']}', comma: ',',
}).map(([name, text]) => [name, Buffer.from(text)])) as Record<'none' | 'opening' | 'session' | 'end' | 'comma', Buffer>

/**
 * Answers as last sent, by question: sent again while they are made of the same offers. In a rush many ask the same, and putting the
 * pieces together anew for each would keep the collector busy with the whole memory.
 */
const answers = new Map<string, { offers: readonly SessionOffer[]; next: string | null; bytes: Uint8Array<ArrayBuffer> }>()
const answersMax = 500

export function answerTo(question: string, found: readonly Found[], next: string | null): Uint8Array<ArrayBuffer> {
  const last = answers.get(question)
  if (last?.next === next && last.offers.length === found.length && found.every(({ offer }, index) => offer === last.offers[index])) return last.bytes
  const [oldest] = answers.size < answersMax ? [] : answers.keys()
  if (oldest !== undefined) answers.delete(oldest)
  const bytes = bytesOfOffers(found, next)
  answers.set(question, { offers: found.map(({ offer }) => offer), next, bytes })
  return bytes
}

function bytesOfOffers(found: readonly Found[], next: string | null): Uint8Array<ArrayBuffer> {
  const { none, opening, session, end, comma } = punctuation
  if (found.length === 0) return Buffer.from(none)
  const pieces: Buffer[] = []
  for (const { offer, km } of found) {
    pieces.push(pieces.length === 0 ? opening : comma, session, printedParts(offer))
    if (km !== null) pieces.push(comma, Buffer.from(JSON.stringify(distancePart(km))))
    pieces.push(end)
  }
  if (next !== null) pieces.push(comma, Buffer.from(JSON.stringify({ name: 'next', valueString: next })))
  return Buffer.concat([...pieces, end])
}

function distancePart(km: number): ParametersParameter {
  return { name: 'distance', valueDecimal: Math.round(km * 10) / 10 }
}

function partsOf(offer: SessionOffer): ParametersParameter[] {
  return [
    { name: 'schedule', valueReference: { reference: `Schedule/${offer.schedule}` } },
    { name: 'organization', valueReference: reference(`Organization/${offer.organization.id}`, offer.organization.name) },
    { name: 'department', valueCoding: coding(systems.department, offer.department.code, offer.department.name) },
    { name: 'practitioner', valueReference: reference(`Practitioner/${offer.practitioner.id}`, offer.practitioner.name) },
    { name: 'title', valueCoding: titleCoding(offer.title) },
    { name: 'clinicType', valueCoding: clinicTypeCoding(offer.clinicType) },
    { name: 'date', valueDate: offer.date },
    { name: 'half', valueCode: offer.half },
    { name: 'start', valueInstant: offer.start },
    { name: 'end', valueInstant: offer.end },
    { name: 'fee', valueMoney: moneyOfFen(BigInt(offer.feeFen)) },
    { name: 'insured', valueBoolean: offer.insured },
    { name: 'free', valueInteger: offer.free },
    { name: 'capacity', valueInteger: offer.capacity },
    ...offer.segments.map((segment) => ({
      name: 'segment',
      part: [
        { name: 'start', valueInstant: segment.start },
        { name: 'end', valueInstant: segment.end },
        { name: 'free', valueInteger: segment.free },
        ...(segment.slot === null ? [] : [{ name: 'slot', valueReference: { reference: `Slot/${segment.slot}` } }]),
      ],
    })),
  ]
}
