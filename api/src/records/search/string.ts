/**
 * String parameters: starts with, without regard to case, accents and width; `:contains` anywhere, `:exact` to the letter.
 * `equal` and `ends`, which only `_filter` asks for, are without regard to these too.
 * Chinese names are also found by pinyin and by initials (normalise.ts), and those of hospitals and other things from any character on: what begins so stands first.
 * The index holds normalised texts, so `:exact` looks for the text itself in the resource as well; of long texts it holds overlapping parts, so that `:contains` finds what stands anywhere in them. Source: FHIR R4 3.1.1.4.8.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { OutcomeError } from '../../fhir/outcome.ts'
import { allOf, type Asked, byCondition, bySide, type Criterion, type Fit, hasSideRow, invalidValue, likeText, oneOf, sideOf, unescapeValue } from './criterion.ts'
import { furtherPartsKey, isFoundBesides, laterPartsKey } from './extract-strings.ts'
import { paramKey } from './keys.ts'
import { beginningOf, normaliseWhole, partsMax, pieces } from './normalise.ts'

export function searchString(asked: Asked): Criterion {
  const found = asked.values.map((value) => fit(asked, unescapeValue(value)))
  const fits = found.map((each) => each.fit)
  if (found.every(({ besides }) => besides.length === 0)) return bySide('idx_string', fits)
  const [only] = found
  if (only && found.length === 1) return { ...bySide('idx_string', fits), where: allOf(only.besides) }
  return byCondition(oneOf(found.map(({ fit: each, besides }) => allOf([hasSideRow(sideOf('idx_string', [each])), ...besides]))))
}

/** A row that fits a value, and what is asked of the resource besides. */
interface Fitting { fit: Fit; besides: RawBuilder<SqlBool>[] }

function fit(asked: Asked, text: string): Fitting {
  const whole = normaliseWhole(text)
  if (whole === '') throw new OutcomeError([invalidValue(asked, text, { zh: '请输入文字。', en: 'give some text.' })])
  const { type, modifier, param: { storedAs } } = asked
  const keys = storedAs.map((code) => paramKey(type, code))
  const anywhere = [...keys, ...storedAs.map((code) => furtherPartsKey(type, code))]
  const value = beginningOf(whole)
  if (modifier === 'exact') return { fit: under(keys, sql<SqlBool>`s.val = ${value}`), besides: [sql<SqlBool>`strpos(r.content, ${JSON.stringify(text)}) > 0`] }
  if (modifier === 'ends') return { fit: under(keys, sql<SqlBool>`s.val like ${`%${likeText(whole)}`}`), besides: [] }
  // A row holds no more of a text than a part: a longer value is looked for piece by piece.
  const [first = '', ...rest] = pieces(whole)
  if (rest.length > partsMax) return { fit: { keys, condition: sql<SqlBool>`false`, bounds: null }, besides: [] }
  const also = rest.map((piece) => hasSideRow(sideOf('idx_string', [under(anywhere, contains(piece))])))
  if (modifier === 'contains') return { fit: under(anywhere, contains(first)), besides: also }
  if (modifier === 'equal') return { fit: under(keys, sql<SqlBool>`s.val = ${value}`), besides: value === whole ? [] : also }
  const later = storedAs.flatMap((code) => (isFoundBesides(type, whole) ? laterPartsKey(type, code) ?? [] : []))
  return { fit: under([...keys, ...later], sql<SqlBool>`(s.val ~>=~ ${value} and s.val ~<~ ${`${value}${lastCharacter}`})`), besides: value === whole ? [] : also }
}

function under(keys: readonly bigint[], condition: RawBuilder<SqlBool>): Fit {
  return { keys, condition, bounds: [{ column: 'val', condition }] }
}

function contains(text: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`s.val like ${`%${likeText(text)}%`}`
}

/** Behind every text that begins alike. The bounds are written out, for a plan that is kept takes none from a pattern (decisions/0049). */
const lastCharacter = '\u{10FFFF}'
