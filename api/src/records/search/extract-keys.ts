/**
 * Tokens, references and uris as keys. A token is stored under every way it may be asked for: `code`, `system|code` or
 * `|code`, `system|`. A code element has the system of its required value set, so that
 * `gender=http://hl7.org/fhir/administrative-gender|male` finds what `gender=male` does.
 * Source: FHIR R4 3.1.1.4.10 (token), 3.1.1.4.12 (reference), 3.1.1.4.13 (uri).
 */
import type { FhirModel } from '../../fhir/model.ts'
import { referenceTarget } from '../../fhir/references.ts'
import type { Branch } from '../../fhir/search-expression.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'
import type { Collect, Sink } from '../index-resource.ts'
import type { TextRow } from '../index-texts.ts'
import { bothLanguagesOf } from '../../fhir/translation.ts'
import { belowCode, branchesOf, broaderMediaTypes, isMediaType } from './branches.ts'
import { datedCode } from './by-date.ts'
import { broaderVersions, canonicalOf } from './canonical.ts'
import { besideCodeKey, besideKey, identifierTypeKey, isParameterCode, orderKey, paramKey, referenceIdentifierKey, referenceKey, systemKey, textKey, tokenKey, uriKey } from './keys.ts'
import { normaliseString } from './normalise.ts'

interface CodingLike { system?: unknown; code?: unknown; display?: unknown; _display?: unknown }
interface IdentifierLike { system?: unknown; value?: unknown; type?: { text?: unknown; coding?: unknown } | null }

/** System of booleans in token searches. */
const booleanSystem = 'http://terminology.hl7.org/CodeSystem/special-values'

/** Types of values of which there are few: their codes go to search_text, so that they can be sorted by. */
const codeTypes: ReadonlySet<string> = new Set(['code', 'Coding', 'CodeableConcept', 'boolean'])

/** Whether every value of a token parameter is of such a type. */
export function isSortedByCode(model: FhirModel, type: string, param: Pick<SearchParam, 'expression'>): boolean {
  const branches = branchesOf(model, type, param)
  return branches.length > 0 && branches.every((branch) => codeTypes.has(branch.type))
}

export function tokenCollector(model: FhirModel, type: string, code: string, branch: Branch): Collect | null {
  // Nobody sorts by a part of a composite.
  const order = codeTypes.has(branch.type) && isParameterCode(code) ? orderKey(type, code) : null
  const dated = isParameterCode(code) ? datedCode(type, code) : null
  const add = (sink: Sink, system: unknown, value: unknown): void => {
    const hasSystem = typeof system === 'string' && system !== ''
    if (hasSystem) sink.keys.add(systemKey(type, code, system))
    if (typeof value !== 'string' || value === '') return
    const h = tokenKey(type, code, undefined, value)
    const isFirst = !sink.keys.has(h)
    if (order !== null && isFirst) sink.texts.push({ k: order, h, val: value })
    if (dated !== null && isFirst) sink.dated.push(dated(value))
    sink.keys.add(h)
    sink.keys.add(tokenKey(type, code, hasSystem ? system : null, value))
  }
  const addText = textAdder(type, code)
  const addBeside = dated === null ? null : besideAdder(type, code)
  const addTextOf = (sink: Sink, text: unknown, codes: readonly unknown[]): void => {
    addText(sink, text)
    addBeside?.(sink, text, codes)
  }
  const coding = (value: unknown, sink: Sink): void => {
    const { system, code: found, display, _display } = value as CodingLike
    add(sink, system, found)
    addTextOf(sink, display, [found])
    if (_display) addTextOf(sink, bothLanguagesOf(value as object, 'display')?.en, [found])
  }
  switch (branch.type) {
    case 'Coding': return coding
    case 'CodeableConcept': return (value, sink) => {
      const { coding: list, text, _text } = value as { coding?: unknown; text?: unknown; _text?: unknown }
      const codings = Array.isArray(list) ? (list as (CodingLike | null)[]).filter((each) => each !== null) : []
      const codes = codings.map((each) => each.code)
      addTextOf(sink, text, codes)
      if (_text) addTextOf(sink, bothLanguagesOf(value as object, 'text')?.en, codes)
      for (const each of codings) coding(each, sink)
    }
    case 'Identifier': return (value, sink) => {
      const { system, value: found, type: kind } = value as IdentifierLike
      add(sink, system, found)
      if (!kind) return
      addText(sink, kind.text)
      for (const each of Array.isArray(kind.coding) ? (kind.coding as CodingLike[]) : []) {
        addText(sink, each.display)
        if (typeof each.code === 'string' && typeof found === 'string') {
          sink.keys.add(identifierTypeKey(type, code, typeof each.system === 'string' ? each.system : '', each.code, found))
        }
      }
    }
    case 'ContactPoint': return (value, sink) => {
      const { system, value: found } = value as IdentifierLike
      add(sink, system, found)
      if (typeof found === 'string') for (const form of otherForms(branch.type, found)) add(sink, system, form)
    }
    case 'boolean': return (value, sink) => {
      if (typeof value === 'boolean') add(sink, booleanSystem, String(value))
    }
    case 'code': return isMediaType(branch) ? mediaTypeCollector(type, code, codeCollector(model, branch, add)) : codeCollector(model, branch, add)
    case 'string': return (value, sink) => {
      add(sink, null, value)
      if (typeof value === 'string') for (const form of otherForms(branch.type, value)) add(sink, null, form)
    }
    case 'id': case 'uri': case 'canonical': case 'oid': case 'uuid': return (value, sink) => add(sink, null, value)
    default: return null
  }
}

/** How a text of a type is asked for beside what was written: in small letters, and a telephone number without the signs between digits. */
export function otherForms(type: string, value: string): string[] {
  const forms = [value.toLowerCase(), ...type === 'ContactPoint' && telephone.test(value) ? [value.replace(/[\s()-]/g, '')] : []]
  return forms.filter((each) => each !== value)
}

/** Of anything else, an address of mail or a version, the signs are a part. */
const telephone = /^\+?[\d\s()-]+$/

/** Also by what the media type is below. */
function mediaTypeCollector(type: string, code: string, collect: Collect): Collect {
  return (value, sink, ...rest) => {
    collect(value, sink, ...rest)
    if (typeof value === 'string') for (const each of broaderMediaTypes(value)) sink.keys.add(tokenKey(type, belowCode(code), undefined, each))
  }
}

/** Most displays come again and again: their keys are kept. */
const textsKeptMax = 2_000

/** Adds the text of a code, for `:text`. */
function textAdder(type: string, code: string): (sink: Sink, text: unknown) => void {
  const k = paramKey(type, code)
  const kept = new Map<string, TextRow | null>()
  const rowOf = (text: string): TextRow | null => {
    const val = normaliseString(text)
    return val === '' ? null : { k, h: textKey(type, code, val), val }
  }
  return (sink, text) => {
    if (typeof text !== 'string') return
    let row = kept.get(text)
    if (row === undefined) {
      if (kept.size >= textsKeptMax) kept.clear()
      kept.set(text, row = rowOf(text))
    }
    if (row === null || sink.keys.has(row.h)) return
    sink.keys.add(row.h)
    sink.texts.push(row)
  }
}

/**
 * Adds which codes stand beside a text: what has the text then is what has one of them, and is found in the order of the date as that is (by-date.ts). One code is enough for
 * each place where a text stands.
 */
function besideAdder(type: string, code: string): (sink: Sink, text: unknown, codes: readonly unknown[]) => void {
  const kept = new Map<string, TextRow | null>()
  const rowOf = (text: string, beside: string): TextRow | null => {
    const val = normaliseString(text)
    const h = textKey(type, code, val)
    return val === '' ? null : { k: besideKey(h), h: besideCodeKey(h, beside), val: beside }
  }
  return (sink, text, codes) => {
    if (typeof text !== 'string') return
    const beside = codes.find((each): each is string => typeof each === 'string' && each !== '') ?? ''
    const both = `${beside} ${text}`
    let row = kept.get(both)
    if (row === undefined) {
      if (kept.size >= textsKeptMax) kept.clear()
      kept.set(both, row = rowOf(text, beside))
    }
    if (row !== null) sink.texts.push(row)
  }
}

function codeCollector(model: FhirModel, branch: Branch, add: (sink: Sink, system: unknown, value: unknown) => void): Collect {
  const systems = branch.required ? [...model.valueSet(branch.required)?.systems ?? []] : []
  return (value, sink) => {
    let known = false
    for (const [system, codes] of systems) {
      if (typeof value !== 'string' || !codes.has(value)) continue
      add(sink, system, value)
      known = true
    }
    if (!known) add(sink, null, value)
  }
}

export function referenceCollector(type: string, code: string, fhirType: string): Collect | null {
  const add = (sink: Sink, reference: unknown): void => {
    const target = typeof reference === 'string' ? referenceTarget(reference) : null
    if (target !== null) sink.keys.add(referenceKey(type, code, target))
  }
  switch (fhirType) {
    case 'Reference': return (value, sink) => {
      const { reference, identifier } = value as { reference?: unknown; identifier?: IdentifierLike | null }
      add(sink, reference)
      const system = typeof identifier?.system === 'string' ? identifier.system : null
      if (system !== null) sink.keys.add(referenceIdentifierKey(type, code, system, ''))
      if (typeof identifier?.value !== 'string') return
      sink.keys.add(referenceIdentifierKey(type, code, undefined, identifier.value))
      sink.keys.add(referenceIdentifierKey(type, code, system, identifier.value))
    }
    case 'canonical': case 'uri': return (value, sink) => {
      if (typeof value !== 'string') return
      sink.keys.add(referenceKey(type, code, value))
      const { url, version } = canonicalOf(value)
      if (url === value || url === '') return
      sink.keys.add(referenceKey(type, code, url))
      if (version === null) return
      sink.keys.add(referenceKey(type, code, `${url}|${version}`))
      for (const each of broaderVersions(version)) sink.keys.add(referenceKey(type, belowCode(code), `${url}|${each}`))
    }
    case 'Attachment': return (value, sink) => add(sink, (value as { url?: unknown }).url)
    case 'Resource': return (value, sink) => {
      const { resourceType, id } = value as { resourceType?: unknown; id?: unknown }
      if (typeof resourceType === 'string' && typeof id === 'string') sink.keys.add(referenceKey(type, code, `${resourceType}/${id}`))
    }
    default: return null
  }
}

/** Longest uri that `:below` finds. */
const uriLengthMax = 1_000

/** Also without its version, as `_profile` is asked for. */
export function uriCollector(type: string, code: string): Collect {
  const k = paramKey(type, code)
  const add = (sink: Sink, uri: string): void => {
    const h = uriKey(type, code, uri)
    sink.keys.add(h)
    if (uri.length <= uriLengthMax) sink.texts.push({ k, h, val: uri })
  }
  return (value, sink) => {
    if (typeof value !== 'string' || value === '') return
    add(sink, value)
    const bar = value.indexOf('|')
    if (bar > 0) add(sink, value.slice(0, bar))
  }
}
