/**
 * String parameters: starts with, without regard to case, accents and width; `:contains` anywhere, `:exact` to the letter.
 * Chinese names are also found by pinyin and by initials (normalise.ts), and those of hospitals and other things from any character on: what begins so stands first.
 * The index holds normalised texts, so `:exact` looks for the text itself in the resource as well. Source: FHIR R4 3.1.1.4.8.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { OutcomeError } from '../../fhir/outcome.ts'
import { type Asked, byCondition, bySide, type Criterion, type Fit, hasSideRow, invalidValue, oneOf, sideOf, unescapeValue } from './criterion.ts'
import { laterPartsKey } from './extract-strings.ts'
import { paramKey } from './keys.ts'
import { normaliseString } from './normalise.ts'

export function searchString(asked: Asked): Criterion {
  const keys = asked.param.storedAs.map((code) => paramKey(asked.type, code))
  const later = asked.modifier === null ? asked.param.storedAs.flatMap((code) => laterPartsKey(asked.type, code) ?? []) : []
  const found = asked.values.map((value) => fit(asked, [...keys, ...later], unescapeValue(value)))
  if (asked.modifier !== 'exact') return bySide('idx_string', found)
  const written = asked.values.map((value) => sql<SqlBool>`strpos(r.content, ${JSON.stringify(unescapeValue(value))}) > 0`)
  if (found.length === 1) return { ...bySide('idx_string', found), where: written[0] as RawBuilder<SqlBool> }
  return byCondition(oneOf(found.map((each, index) => sql<SqlBool>`(${hasSideRow(sideOf('idx_string', [each]))} and ${written[index] as RawBuilder<SqlBool>})`)))
}

function fit(asked: Asked, keys: readonly bigint[], text: string): Fit {
  const value = normaliseString(text)
  if (value === '') throw new OutcomeError([invalidValue(asked, text, { zh: '请输入文字。', en: 'give some text.' })])
  const condition = asked.modifier === 'exact' ? sql<SqlBool>`s.val = ${value}` : asked.modifier === 'contains' ? sql<SqlBool>`s.val like ${`%${value.replace(/[\\%_]/g, '\\$&')}%`}`
    : sql<SqlBool>`(s.val ~>=~ ${value} and s.val ~<~ ${`${value}${lastCharacter}`})`
  return { keys, condition, bounds: [{ column: 'val', condition }] }
}

/** Behind every text that begins alike. The bounds are written out, for a plan that is kept takes none from a pattern (decisions/0049). */
const lastCharacter = '\u{10FFFF}'
