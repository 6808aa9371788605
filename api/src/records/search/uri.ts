/**
 * Uri parameters: compared exactly as they are written; a canonical is also found without its version. `:below` finds what begins with the
 * value, `:above` what the value begins with. Source: FHIR R4 3.1.1.4.13.
 */
import { type Asked, byKeys, type Criterion, unescapeValue } from './criterion.ts'
import { uriKey } from './keys.ts'
import { searchUriAbove, searchUriBelow } from './texts.ts'

export function searchUri(asked: Asked): Criterion {
  if (asked.modifier === 'below') return searchUriBelow(asked)
  if (asked.modifier === 'above') return searchUriAbove(asked)
  return byKeys(asked.values.flatMap((value) => asked.param.storedAs.map((code) => uriKey(asked.type, code, unescapeValue(value)))))
}
