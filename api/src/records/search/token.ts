/**
 * Token parameters: codes, identifiers, booleans. `code`, `system|code`, `|code` (no system), `system|` (any code of it); `:not`, `:of-type`,
 * `:text` (texts.ts), `:in`, `:not-in`, `:above`, `:below` (terminology.ts).
 * Codes are compared as they are written; texts of people (versions, addresses of mail, telephone numbers) without case. Source: FHIR R4 3.1.1.4.10.
 */
import { OutcomeError } from '../../fhir/outcome.ts'
import { codesValues } from '../../fhir/search-parameters.ts'
import { type Asked, byKeys, type Criterion, invalidValue, splitUnescaped, unescapeValue, withoutKeys } from './criterion.ts'
import { branchesOf, isCaseless } from './branches.ts'
import { datedCode, sideBySideMax } from './by-date.ts'
import { otherForms } from './extract-keys.ts'
import { identifierTypeKey, systemKey, tokenKey } from './keys.ts'
import { searchTerminology } from './terminology.ts'
import { searchCodeText } from './texts.ts'

export function searchToken(asked: Asked): Criterion {
  switch (asked.modifier) {
    case 'text': return searchCodeText(asked)
    case 'of-type': return byKeys(asked.values.flatMap((value) => ofTypeKeys(asked, value)))
    case 'in': case 'not-in': case 'above': case 'below': return searchTerminology(asked)
    case 'not': return withoutKeys(valueKeys(asked))
    default: return { ...byKeys(valueKeys(asked)), ...codesOf(asked), ...datedOf(asked) }
  }
}

/** The codes themselves, where values of the type are stored by them and each value names one. */
function codesOf({ type, param, values }: Asked): Pick<Criterion, 'codes'> {
  if (!codesValues(type, param.code)) return {}
  const codes = values.map((value) => splitUnescaped(value, '|').map(unescapeValue).at(-1) ?? '')
  return codes.includes('') ? {} : { codes: [...new Set(codes)].map((code) => tokenKey(type, param.code, undefined, code)) }
}

/** Each value under each of the parameters it is stored as, where all of them are stored by date. */
function datedOf({ type, param, values }: Asked): Pick<Criterion, 'dated'> {
  const codes = values.map((value) => splitUnescaped(value, '|').map(unescapeValue).at(-1) ?? '')
  const ofCode = param.storedAs.map((stored) => datedCode(type, stored))
  const dated = [...new Set(codes)].flatMap((code) => ofCode.flatMap((each) => each?.(code) ?? []))
  return dated.length === 0 || ofCode.includes(null) || codes.includes('') || dated.length > sideBySideMax ? {} : { dated }
}

function valueKeys(asked: Asked): bigint[] {
  return asked.values.flatMap((value) => formsOf(asked, value).flatMap((form) => asked.param.storedAs.map((code) => keyOfValue(asked, code, form))))
}

/** A value as it is written and, where case does not count, as it is stored besides. */
function formsOf({ model, type, param }: Asked, value: string): string[] {
  const branches = branchesOf(model, type, param)
  if (branches.length === 0 || !branches.every((branch) => isCaseless(branch.type))) return [value]
  const at = splitUnescaped(value, '|').length > 1 ? value.lastIndexOf('|') + 1 : 0
  const forms = new Set(branches.flatMap((branch) => otherForms(branch.type, value.slice(at))))
  return [value, ...[...forms].map((form) => value.slice(0, at) + form)]
}

/** `system|code|value` of an identifier's type and its value. */
function ofTypeKeys(asked: Asked, value: string): bigint[] {
  const parts = splitUnescaped(value, '|').map(unescapeValue)
  const [system = '', code = '', number = ''] = parts
  if (parts.length !== 3 || code === '' || number === '') {
    throw new OutcomeError([invalidValue(asked, value, { zh: '请写成 类型系统|类型代码|号码。', en: 'write type system|type code|value.' })])
  }
  return asked.param.storedAs.map((each) => identifierTypeKey(asked.type, each, system, code, number))
}

function keyOfValue(asked: Asked, code: string, value: string): bigint {
  const parts = splitUnescaped(value, '|').map(unescapeValue)
  const [first = '', second = ''] = parts
  if (parts.length > 2 || (parts.length === 2 && first === '' && second === '')) {
    throw new OutcomeError([invalidValue(asked, value, { zh: '请写成 代码 或 系统|代码。', en: 'write code or system|code.' })])
  }
  if (parts.length === 1) return tokenKey(asked.type, code, undefined, first)
  if (second === '') return systemKey(asked.type, code, first)
  return tokenKey(asked.type, code, first === '' ? null : first, second)
}
