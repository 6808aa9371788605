/**
 * A CodeSystem or ConceptMap that came inside a request and was never stored: what the operations look at must have the right
 * JSON types, everything else is free. (Stored ones were validated when they were written; ValueSets: read-compose.ts.)
 */
import type { CodeSystem, ConceptMap } from '@medplum/fhirtypes'
import { fail } from '../fhir/outcome.ts'

type Shape = Readonly<Record<string, 'text' | 'object' | (() => Shape)>>

const coding: Shape = { system: 'text', code: 'text', display: 'text' }
const concept: Shape = {
  code: 'text', display: 'text', definition: 'text',
  designation: () => ({ language: 'text', value: 'text', use: 'object' }),
  property: () => ({ code: 'text', valueCode: 'text', valueString: 'text', valueCoding: 'object' }),
  concept: () => concept,
}
const codeSystem: Shape = { url: 'text', version: 'text', name: 'text', title: 'text', language: 'text', content: 'text', property: () => coding, concept: () => concept }
const conceptMap: Shape = {
  url: 'text', sourceUri: 'text', sourceCanonical: 'text', targetUri: 'text', targetCanonical: 'text',
  group: () => ({
    source: 'text', sourceVersion: 'text', target: 'text', targetVersion: 'text', unmapped: 'object',
    element: () => ({
      code: 'text', display: 'text',
      target: () => ({ code: 'text', display: 'text', equivalence: 'text', product: () => ({ property: 'text', system: 'text', value: 'text', display: 'text' }) }),
    }),
  }),
}
const unmapped: Shape = { mode: 'text', code: 'text', display: 'text', url: 'text' }

/** @throws OutcomeError `structure` with the place. */
export function readSentCodeSystem(sent: unknown): CodeSystem {
  check(sent, 'CodeSystem', codeSystem)
  return sent as CodeSystem
}

/** @throws OutcomeError `structure` with the place. */
export function readSentConceptMap(sent: unknown): ConceptMap {
  check(sent, 'ConceptMap', conceptMap)
  for (const [no, group] of ((sent as ConceptMap).group ?? []).entries()) if (group.unmapped) check(group.unmapped, `ConceptMap.group[${no}].unmapped`, unmapped)
  return sent as ConceptMap
}

function check(value: unknown, at: string, shape: Shape): void {
  if (!isObject(value)) throw wrong(at, '应为对象。', 'it must be an object.')
  for (const [name, kind] of Object.entries(shape)) {
    const each = value[name]
    if (each === undefined) continue
    if (kind === 'text') {
      if (typeof each !== 'string') throw wrong(`${at}.${name}`, '应为文字。', 'it must be text.')
    } else if (kind === 'object') {
      if (!isObject(each)) throw wrong(`${at}.${name}`, '应为对象。', 'it must be an object.')
    } else {
      if (!Array.isArray(each)) throw wrong(`${at}.${name}`, '应为数组。', 'it must be an array.')
      for (const [no, item] of each.entries()) check(item, `${at}.${name}[${no}]`, kind())
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong(at: string, zh: string, en: string) {
  return fail('structure', { zh: `${at}：${zh}`, en: `${at}: ${en}` }, at)
}
