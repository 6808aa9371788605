/**
 * `:in`, `:not-in`, `:above` and `:below` of tokens: the codes of a value set, or a code and what is above or below it, become keys
 * before the search. Value sets are named by their canonical address or as `ValueSet/id`. Source: FHIR R4 3.1.1.4.10.
 */
import { fail, OutcomeError } from '../../fhir/outcome.ts'
import type { Db } from '../../storage/pool.ts'
import { builtInById } from '../../terminology/built-in.ts'
import { ancestorCodes, membersOf, storedClosure, subsumedCodes } from '../../terminology/value-sets.ts'
import { belowCode, branchesOf, isMediaType } from './branches.ts'
import { type Asked, byKeys, byReading, type Criterion, invalidValue, nothing, splitUnescaped, unescapeValue, withoutKeys } from './criterion.ts'
import { storedDefinitions } from '../stored-definitions.ts'
import { tokenKey } from './keys.ts'

const codesMax = 20_000

export function searchTerminology(asked: Asked): Criterion {
  if (asked.modifier === 'above' || asked.modifier === 'below') return searchHierarchy(asked, asked.modifier)
  return byReading(async (walk) => {
    const keys: bigint[] = []
    for (const value of asked.values) {
      const members = await membersOf(walk.db, storedDefinitions, await canonicalOf(walk.db, asked, value))
      for (const { system, concept } of members) for (const code of asked.param.storedAs) keys.push(tokenKey(asked.type, code, system === '' ? undefined : system, concept.code))
      if (keys.length > codesMax) throw tooManyCodes(asked.name)
    }
    if (asked.modifier === 'not-in') return withoutKeys(keys)
    return keys.length === 0 ? nothing : byKeys(keys)
  })
}

const mediaTypeSystem = 'urn:ietf:bcp:13'

/** Of media types what has the type whatever its parameters; of codes what the code system says. */
function searchHierarchy(asked: Asked, direction: 'above' | 'below'): Criterion {
  const branches = branchesOf(asked.model, asked.type, asked.param)
  if (direction === 'below' && branches.length > 0 && branches.every(isMediaType)) {
    const types = asked.values.map((value) => splitUnescaped(value, '|').map(unescapeValue).filter((part) => part !== mediaTypeSystem).join('|').toLowerCase())
    return byKeys(types.flatMap((each) => asked.param.storedAs.map((code) => tokenKey(asked.type, belowCode(code), undefined, each))))
  }
  const concepts = asked.values.map((value) => conceptOf(asked, value))
  const known = concepts.map(({ system, code }) => (direction === 'below' ? subsumedCodes(system, code) : ancestorCodes(system, code)))
  const keysOf = (codes: readonly string[], system: string): bigint[] => codes.flatMap((each) => asked.param.storedAs.map((param) => tokenKey(asked.type, param, system, each)))
  if (!known.includes(null)) return byKeys(known.flatMap((codes, index) => keysOf(codes ?? [], concepts[index]?.system ?? '')))
  return byReading(async ({ db }) => {
    const keys: bigint[] = []
    for (const [index, { system, code, value }] of concepts.entries()) {
      const codes = known[index] ?? await storedClosure(db, storedDefinitions, { system, code, direction })
      if (codes === null) {
        throw new OutcomeError([invalidValue(asked, value, { zh: `这里没有代码系统 ${system.slice(0, 100)} 的层级。`, en: `the hierarchy of ${system.slice(0, 100)} is not known here.` })])
      }
      keys.push(...keysOf(codes, system))
      if (keys.length > codesMax) throw tooManyCodes(asked.name)
    }
    return byKeys(keys)
  })
}

function conceptOf(asked: Asked, value: string): { system: string; code: string; value: string } {
  const parts = splitUnescaped(value, '|').map(unescapeValue)
  const [system = '', code = ''] = parts
  if (parts.length !== 2 || system === '' || code === '') {
    throw new OutcomeError([invalidValue(asked, value, { zh: '请写成 系统|代码。', en: 'write system|code.' })])
  }
  return { system, code, value }
}

async function canonicalOf(db: Db, asked: Asked, value: string): Promise<string> {
  const text = unescapeValue(value)
  const id = /^ValueSet\/([A-Za-z0-9\-.]{1,64})$/.exec(text.startsWith(`${asked.base}/`) ? text.slice(asked.base.length + 1) : text)?.[1]
  if (id === undefined) {
    if (/^[a-z][a-z0-9+.-]*:/.test(text)) return text
    throw new OutcomeError([invalidValue(asked, value, { zh: '请写成值集的规范地址或 ValueSet/编号。', en: 'write the canonical address of a value set or ValueSet/id.' })])
  }
  const url = (await storedDefinitions.byId(db, 'ValueSet', id))?.resource.url ?? builtInById('ValueSet', id)?.url
  if (url) return url
  throw new OutcomeError([invalidValue(asked, value, { zh: '没有这个值集，或它没有规范地址。', en: 'there is no such value set, or it has no canonical address.' })])
}

function tooManyCodes(name: string): OutcomeError {
  return fail('too-costly', { zh: `值集的代码超过 ${codesMax} 个，不能用于 ${name}。`, en: `The value sets have more than ${codesMax} codes; that is too many for ${name}.` }, name)
}
