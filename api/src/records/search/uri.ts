/** Uri parameters: compared exactly as they are written; a canonical is also found without its version. Source: FHIR R4 3.1.1.4.13. */
import { type Asked, byKeys, type Criterion, unescapeValue } from './criterion.ts'
import { uriKey } from './keys.ts'

export function searchUri(asked: Asked): Criterion {
  return byKeys(asked.values.flatMap((value) => asked.param.storedAs.map((code) => uriKey(asked.type, code, unescapeValue(value)))))
}
