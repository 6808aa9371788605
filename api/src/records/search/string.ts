/**
 * String parameters: starts with, without regard to case, accents and width; `:contains` anywhere, `:exact` to the letter.
 * Chinese names are also found by pinyin and by initials (normalise.ts). The index holds normalised texts, so `:exact` looks
 * for the text itself in the resource as well. Source: FHIR R4 3.1.1.4.8.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { OutcomeError } from '../../fhir/outcome.ts'
import { type Asked, byCondition, type Criterion, hasSideRow, invalidValue, oneOf, unescapeValue } from './criterion.ts'
import { paramKey } from './keys.ts'
import { normaliseString } from './normalise.ts'

export function searchString(asked: Asked): Criterion {
  const keys = asked.param.storedAs.map((code) => paramKey(asked.type, code))
  return byCondition(oneOf(asked.values.map((value) => condition(asked, keys, unescapeValue(value)))))
}

function condition(asked: Asked, keys: readonly bigint[], text: string): RawBuilder<SqlBool> {
  const value = normaliseString(text)
  if (value === '') throw new OutcomeError([invalidValue(asked, text, { zh: '请输入文字。', en: 'give some text.' })])
  if (asked.modifier === 'exact') {
    return sql<SqlBool>`(${hasSideRow('idx_string', keys, sql<SqlBool>`s.val = ${value}`)} and strpos(r.content, ${JSON.stringify(text)}) > 0)`
  }
  const pattern = value.replace(/[\\%_]/g, '\\$&')
  const like = asked.modifier === 'contains' ? `%${pattern}%` : `${pattern}%`
  return hasSideRow('idx_string', keys, sql<SqlBool>`s.val like ${like}`)
}
