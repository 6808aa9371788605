/**
 * Token parameters: codes, identifiers, booleans. `code`, `system|code`, `|code` (no system), `system|` (any code of it); `:not`.
 * Codes are compared as they are written. Source: FHIR R4 3.1.1.4.10.
 */
import { OutcomeError } from '../../fhir/outcome.ts'
import { type Asked, byKeys, type Criterion, invalidValue, splitUnescaped, unescapeValue, withoutKeys } from './criterion.ts'
import { systemKey, tokenKey } from './keys.ts'

export function searchToken(asked: Asked): Criterion {
  const keys = asked.values.flatMap((value) => asked.param.storedAs.map((code) => keyOfValue(asked, code, value)))
  return asked.modifier === 'not' ? withoutKeys(keys) : byKeys(keys)
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
