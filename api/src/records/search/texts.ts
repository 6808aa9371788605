/**
 * Searches by text: `:text` of codes, `:below` of uris, `_text` and `_content`.
 * The distinct displays and uris are in search_text, so a text is looked up there and the keys it stands for are asked for. `:text` finds a
 * text, or a word in it, that begins with the value; of Chinese any part. `_text` wants every word of the value in the
 * narrative (extract-words.ts). `_content` wants every word as part of some string of the resource; there is no index for it, so the other
 * parameters must leave few rows. Source: FHIR R4 3.1.1.4.10 (:text), 3.1.1.4.12 (:below), 3.1.1.4.5 (_text, _content).
 */
import { sql, type SqlBool } from 'kysely'
import { fail, OutcomeError } from '../../fhir/outcome.ts'
import { type Asked, byCondition, byKeys, byReading, type Criterion, hasAny, invalidValue, likeText, nothing, oneOf, unescapeValue } from './criterion.ts'
import { wordsAsked, wordsOf } from './extract-words.ts'
import { datedCode, sideBySideMax } from './by-date.ts'
import { besideMask, paramKey, uriKey, wordKey } from './keys.ts'
import { hasHan, normaliseString } from './normalise.ts'

const textsMax = 2_000

export function searchCodeText(asked: Asked): Criterion {
  const patterns = asked.values.flatMap((value) => {
    const text = normaliseString(unescapeValue(value))
    if (text === '') throw noText(asked, value)
    return hasHan(text) ? [`%${likeText(text)}%`] : [`${likeText(text)}%`, `% ${likeText(text)}%`, `%(${likeText(text)}%`]
  })
  return byTexts(asked, patterns, 'texts of codes')
}

/** Stored urls that begin with the value. Urns have no parts that one could be below of. */
export function searchUriBelow(asked: Asked): Criterion {
  return byTexts(asked, asked.values.map((value) => `${likeText(unescapeValue(value))}%`), 'urls')
}

/** Stored urls that the value begins with, cut where a part of it ends. */
export function searchUriAbove(asked: Asked): Criterion {
  const keys = asked.values.map(unescapeValue).filter((uri) => !uri.startsWith('urn:')).flatMap((uri) => {
    const ends = [...uri.matchAll(/[/:|#]|$/g)].flatMap(({ index }) => [uri.slice(0, index), uri.slice(0, index + 1)])
    return [...new Set(ends)].filter((each) => each !== '').flatMap((each) => asked.param.storedAs.map((code) => uriKey(asked.type, code, each)))
  })
  return keys.length === 0 ? nothing : byKeys(keys)
}

/** Of texts of codes: where all stand beside codes, what has them is also found by those, in the order of the date. */
function byTexts(asked: Asked, patterns: readonly string[], kind: 'texts of codes' | 'urls'): Criterion {
  const { type, param, name } = asked
  const keys = new Map(param.storedAs.map((code) => [paramKey(type, code), code]))
  const dated = new Map(param.storedAs.map((code) => [code, datedCode(type, code)]))
  const beside = kind === 'texts of codes' && ![...dated.values()].includes(null)
    ? sql`array(select c.val from search_text c where c.k = x.h # ${String(besideMask)}::bigint limit ${sideBySideMax + 1})` : sql`array[]::text[]`
  return byReading(async ({ db }) => {
    const { rows } = await sql<{ k: bigint; h: bigint; beside: string[] }>`select x.k, x.h, ${beside} as beside from (
      select x.k, x.h from search_text x where x.k in (${sql.join([...keys.keys()].map((key) => sql`${String(key)}::bigint`))})
      and (${sql.join(patterns.map((pattern) => sql`x.val like ${pattern}`), sql` or `)}) ${kind === 'urls' ? sql`and x.val not like 'urn:%'` : sql``} limit ${textsMax + 1}) x`.execute(db)
    if (rows.length > textsMax) throw tooManyTexts(name)
    if (rows.length === 0) return nothing
    const stretches = new Map(rows.flatMap((row) => row.beside.flatMap((code) => dated.get(keys.get(row.k) ?? '')?.(code) ?? [])).map((each) => [`${each.k} ${each.c}`, { ...each, of: each.c }]))
    const isWhole = rows.every((row) => row.beside.length > 0 && !row.beside.includes('')) && stretches.size <= sideBySideMax
    return { ...byKeys(rows.map((row) => row.h)), ...(isWhole ? { dated: [...stretches.values()] } : {}) }
  })
}

/** `_text`: alternatives between commas, every word of one of them. */
export function searchNarrative(type: string, values: readonly string[]): Criterion {
  const alternatives = values.map((value) => {
    const words = wordsAsked(unescapeValue(value))
    if (words.length === 0) throw noText({ name: '_text' }, value)
    return words.map((word) => wordKey(type, word))
  })
  const [only = []] = alternatives
  if (alternatives.length === 1) {
    const [first, ...rest] = only
    return { ...byKeys([first as bigint]), allOf: rest }
  }
  // The longest word is the rarest, as a rule; it may go to the index and the others filter.
  return { ...byKeys(alternatives.map((keys) => keys[0] as bigint)), where: oneOf(alternatives.map((keys) => sql<SqlBool>`(${sql.join(keys.map((key) => hasAny([key])), sql` and `)})`)) }
}

/** `_content`. */
export function searchContent(values: readonly string[]): Criterion {
  const conditions = values.map((value) => {
    const text = unescapeValue(value)
    const words = hasHan(text) ? text.split(/\s+/).map(normaliseString).filter((word) => word !== '') : [...wordsOf(text)]
    if (words.length === 0) throw noText({ name: '_content' }, value)
    return sql<SqlBool>`(${sql.join(words.map((word) => sql`exists (select 1 from jsonb_path_query(r.content::jsonb, 'strict $.** ? (@.type() == "string")') as held (val)
      where lower(normalize(held.val #>> '{}', NFKC)) like ${`%${likeText(word)}%`})`), sql` and `)})`
  })
  return { ...byCondition(oneOf(conditions)), costly: true }
}

function noText(asked: Pick<Asked, 'name'>, value: string): OutcomeError {
  return new OutcomeError([invalidValue(asked, value, { zh: '请输入文字。', en: 'give some text.' })])
}

function tooManyTexts(name: string): OutcomeError {
  return fail('too-costly', { zh: `参数 ${name} 匹配的文字超过 ${textsMax} 种，请写得更具体。`, en: `More than ${textsMax} texts fit ${name}. Give more of the text.` }, name)
}
