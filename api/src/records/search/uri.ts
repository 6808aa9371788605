/**
 * Uri parameters: compared exactly as they are written; a canonical is also found without its version. `url` also as `url|version`. `:below` finds what begins with the
 * value, `:above` what the value begins with. Source: FHIR R4 3.1.1.4.13.
 */
import { canonicalOf, namedBy } from './canonical.ts'
import { type Asked, byKeys, type Criterion, unescapeValue } from './criterion.ts'
import { uriKey } from './keys.ts'
import { searchUriAbove, searchUriBelow } from './texts.ts'

export function searchUri(asked: Asked): Criterion {
  if (asked.modifier === 'below') return searchUriBelow(asked)
  if (asked.modifier === 'above') return searchUriAbove(asked)
  if (asked.param.code === 'url' && asked.values.some((value) => unescapeValue(value).includes('|'))) return byAddresses(asked)
  return byKeys(asked.values.flatMap((value) => asked.param.storedAs.map((code) => uriKey(asked.type, code, unescapeValue(value)))))
}

/** `url|version` of a definition. Source: FHIR R4 3.1.1.4.9. */
function byAddresses({ type, values }: Asked): Criterion {
  const { keys, condition } = namedBy(type, values.map((value) => canonicalOf(unescapeValue(value))))
  return { ...byKeys(keys), where: condition }
}
