/**
 * The hash of everything that is found by equality: tokens, references, uris, compartments. The writer puts these keys
 * into `resource.keys`, the search asks for them, and both take them from here: what is not hashed alike is not found.
 * Invariant: a key is stored for ever, so the text that is hashed may never change (keys.test.ts holds samples).
 * A key is xxHash64 of that text as the signed 64-bit number that PostgreSQL's bigint holds; see docs/decisions/0002-storage.md.
 */
import xxhash from 'xxhash-wasm'
import { keyOf } from '../../fhir/id.ts'

const { h64 } = await xxhash()

/** Separates the parts of a key's text; FHIR strings cannot contain it. */
const bar = '\u0001'

function hash(text: string): bigint {
  return BigInt.asIntN(64, h64(text))
}

/**
 * One key for each way of asking for a token: `system|code` (system is a string), `|code`, a code that has no system
 * (null), and `code` whatever its system (undefined). `code` is compared as it is written.
 */
export function tokenKey(type: string, param: string, system: string | null | undefined, code: string): bigint {
  if (system === undefined) return hash(`${type}.${param}${bar}c${code}`)
  return hash(`${type}.${param}${bar}t${system ?? ''}${bar}${code}`)
}

/** `system|`: any code of a system. */
export function systemKey(type: string, param: string, system: string): bigint {
  return hash(`${type}.${param}${bar}s${system}`)
}

/** `reference` is `Type/id` for our own resources, else the address as written, both without `/_history/…`. */
export function referenceKey(type: string, param: string, reference: string): bigint {
  const local = localReference.exec(reference)
  if (!local) return hash(`${type}.${param}${bar}r${reference}`)
  return linkKey(linkSeed(type, param, local[1] as string), keyOf(local[2] as string))
}

const localReference = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})$/

/** What the references of a parameter to resources of one type have in common. */
export function linkSeed(type: string, param: string, target: string): bigint {
  const text = `${type}.${param}${bar}l${target}`
  let seed = seeds.get(text)
  if (seed === undefined) seeds.set(text, seed = hash(text))
  return seed
}

/** One a parameter and target type that is in use: some thousands at most. */
const seeds = new Map<string, bigint>()

/**
 * The key of a reference from the key of the row it points to: the last 64 bits of the uuid (62 of them random), mixed with the seed
 * by XOR, so that SQL can make it from a row too (`linkOf` in link.ts) and chains are joins.
 */
export function linkKey(seed: bigint, rowKey: string): bigint {
  return BigInt.asIntN(64, BigInt(`0x${rowKey.slice(19, 23)}${rowKey.slice(24)}`) ^ seed)
}

/** A reference by business identifier (`param:identifier=system|value`); system as in `tokenKey`, an empty value for any of the system. */
export function referenceIdentifierKey(type: string, param: string, system: string | null | undefined, value: string): bigint {
  if (system === undefined) return hash(`${type}.${param}${bar}j${value}`)
  return hash(`${type}.${param}${bar}i${system ?? ''}${bar}${value}`)
}

/** An identifier with its type: `identifier:of-type=system|code|value`. */
export function identifierTypeKey(type: string, param: string, system: string, code: string, value: string): bigint {
  return hash(`${type}.${param}${bar}o${system}${bar}${code}${bar}${value}`)
}

/** A text that belongs to a code: its display, the text of its concept. `text` is normalised. */
export function textKey(type: string, param: string, text: string): bigint {
  return hash(`${type}.${param}${bar}x${text}`)
}

/**
 * `k` in search_text of the codes that stand beside a text, from the text's own key: SQL makes it with the same XOR (texts.ts). Its rows have the code as `val`, and
 * none where the text stands without a code.
 */
export function besideKey(text: bigint): bigint {
  return text ^ besideMask
}

export const besideMask = hash('codes beside a text')

/** A code beside a text. */
export function besideCodeKey(text: bigint, code: string): bigint {
  return hash(`${text}${bar}b${code}`)
}

/** `k` of the codes of a parameter in search_text, which say in what order their keys stand. */
export function orderKey(type: string, param: string): bigint {
  return hash(`${type}.${param}${bar}v`)
}

/** A word of the narrative. */
export function wordKey(type: string, word: string): bigint {
  return hash(`${type}._text${bar}w${word}`)
}

/**
 * The name under which the second part of a composite is stored: that of the parameter and the first part as a key, so that both
 * parts are found only together.
 */
export function compositeParam(param: string, first: bigint): string {
  return `${param}${bar}${first}`
}

/**
 * The name under which a parameter of a contained resource is stored with the resource that contains it. `trail` says by which references it is reached:
 * `Type.param`, or two of them when one contained resource refers to another.
 */
export function containedParam(param: string, trail: string): string {
  return `${param}${bar}#${trail}`
}

/** Whether a name is that of a parameter, not of a part of a composite nor of a contained resource. */
export function isParameterCode(name: string): boolean {
  return !name.includes(bar)
}

/** A uri, compared as it is written. */
export function uriKey(type: string, param: string, uri: string): bigint {
  return hash(`${type}.${param}${bar}u${uri}`)
}

/** The parameter without a value: `k` of the rows in idx_string and idx_value; in resource.keys it says that there is a value. */
export function paramKey(type: string, param: string): bigint {
  return hash(`${type}.${param}${bar}p`)
}

/**
 * `k` of quantities with a unit, beside `paramKey` for any unit. With a system, `unit` is the code; with null it is what
 * the person may have meant by `5.4||mg`: the code or the unit's text.
 */
export function unitKey(type: string, param: string, system: string | null, unit: string): bigint {
  return hash(`${type}.${param}${bar}q${system ?? ''}${bar}${unit}`)
}

/** A Patient compartment beyond the first, which is column `pid`. `patientKey` is keyOf(Patient id). */
export function compartmentKey(patientKey: string): bigint {
  return hash(`~Patient${bar}${patientKey}`)
}
