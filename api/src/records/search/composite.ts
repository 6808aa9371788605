/**
 * Composite parameters `first$second`, and `first$from$to` of MolecularSequence. Over an element that repeats the parts are stored together (extract-composite.ts); over the resource
 * itself, whose parts occur once, both conditions together say the same. Source: FHIR R4 3.1.1.4.7.
 */
import { sql, type SqlBool } from 'kysely'
import { fail, OutcomeError } from '../../fhir/outcome.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'
import { type Asked, byCondition, type Criterion, hasAny, hasSideRow, invalidValue, oneOf, splitUnescaped } from './criterion.ts'
import { pairStorage, partOf } from './extract-composite.ts'
import { compositeParam, paramKey } from './keys.ts'
import { searchCoordinates } from './number.ts'

type PartSearch = (asked: Asked) => Criterion

/** `searchPart` searches by the parameter it is given, of whatever type. */
export function searchComposite(asked: Asked, searchPart: PartSearch): Criterion {
  const alternatives = asked.values.map((value) => conditionOf(asked, value, searchPart))
  const [only] = alternatives
  if (alternatives.length === 1 && only) return only
  return byCondition(oneOf(alternatives.map(condition)))
}

function conditionOf(asked: Asked, value: string, searchPart: PartSearch): Criterion {
  const parts = splitUnescaped(value, '$')
  const params = (asked.param.components ?? []).map((each) => partOf(asked.model, asked.type, each.definition))
  if (params.length < 2 || params.length > 3 || params.includes(null)) throw notOffered(asked)
  const [first = '', second = '', third = ''] = parts
  if (parts.length !== params.length || parts.includes('')) {
    const form = params.map((_, index) => index + 1)
    throw new OutcomeError([invalidValue(asked, value, { zh: `请写成 ${form.map((each) => `值${each}`).join('$')}。`, en: `write ${form.map((each) => `value${each}`).join('$')}.` })])
  }
  const [firstParam, secondParam] = params as [SearchParam, SearchParam]
  const conditions = asked.param.storedAs.map((code) => {
    const composite = asked.model.searchParameters(asked.type).get(code) ?? asked.param
    if (composite.storage !== 'pairs') return together(searchPart({ ...asked, ...partAsked(asked, composite, 0, first) }), searchPart({ ...asked, ...partAsked(asked, composite, 1, second) }))
    const forms = searchPart({ ...asked, param: { ...firstParam, storedAs: [code] }, values: [first] }).anyOf ?? []
    const storedAs = forms.map((form) => compositeParam(code, form))
    if (third !== '') return searchCoordinates(asked, storedAs.map((each) => paramKey(asked.type, each)), second, third)
    return searchPart({ ...asked, param: { ...secondParam, storage: pairStorage(secondParam), storedAs }, values: [second] })
  })
  const [only] = conditions
  return conditions.length === 1 && only ? only : byCondition(oneOf(conditions.map(condition)))
}

/** The part of a composite that the resource itself answers, as its own parameter. */
function partAsked(asked: Asked, composite: SearchParam, index: 0 | 1, value: string): Pick<Asked, 'param' | 'values'> {
  const param = partOf(asked.model, asked.type, composite.components?.[index]?.definition ?? '')
  if (!param) throw notOffered(asked)
  return { param, values: [value] }
}

function together(first: Criterion, second: Criterion): Criterion {
  if (second.anyOf !== null && first.anyOf !== null) return { ...first, where: hasAny(second.anyOf) }
  return { ...first, anyOf: first.anyOf ?? second.anyOf, side: first.side ?? second.side, where: second.where ?? first.where }
}

function condition(criterion: Criterion) {
  const parts = [...(criterion.anyOf === null ? [] : [hasAny(criterion.anyOf)]), ...(criterion.side === null ? [] : [hasSideRow(criterion.side)]), ...(criterion.where === null ? [] : [criterion.where])]
  return sql<SqlBool>`(${sql.join(parts, sql` and `)})`
}

function notOffered({ name, type }: Asked): OutcomeError {
  return fail('parameter-unknown', {
    zh: `${type} 的组合参数 ${name} 暂不支持，请分别使用它的各个参数。`, en: `The composite parameter ${name} of ${type} is not offered. Use the parameters it is made of.`,
  }, name)
}
