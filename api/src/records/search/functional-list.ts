/**
 * Lists that have a function instead of an id: `_list=$current-problems` is what a List kept by hand would say, made of the record itself.
 * Source: FHIR R4 § lifecycle lists (lists.html#functional).
 */
import { OutcomeError } from '../../fhir/outcome.ts'
import type { ResourceType } from '../../fhir/resource-types.ts'
import { type Criterion, invalidValue, unescapeValue } from './criterion.ts'
import { parameterCriterion } from './parameter.ts'
import type { QueryContext } from './parse-query.ts'

type Conditions = readonly (readonly [name: string, value: string])[]

const believed: Conditions = [['verification-status:not', 'entered-in-error,refuted']]
const activeAllergy: Conditions = [['clinical-status', 'active'], ...believed]

const lists: Readonly<Record<string, Partial<Record<ResourceType, Conditions>>>> = {
  '$current-problems': { Condition: [['category', 'problem-list-item'], ['clinical-status', 'active,recurrence,relapse'], ...believed] },
  '$current-medications': { MedicationRequest: [['status', 'active']], MedicationStatement: [['status', 'active']] },
  '$current-allergies': { AllergyIntolerance: activeAllergy },
  '$current-drug-allergies': { AllergyIntolerance: [['category', 'medication'], ...activeAllergy] },
}

/** Null when the value names no functional list. @throws OutcomeError parameter-invalid for one that is not there, or not of the type. */
export function functionalList(context: QueryContext, value: string): Criterion[] | null {
  const name = unescapeValue(value)
  if (!name.startsWith('$')) return null
  const conditions = Object.hasOwn(lists, name) ? lists[name]?.[context.type] : undefined
  if (!conditions) {
    const offered = Object.entries(lists).map(([each, types]) => `${each} (${Object.keys(types).join(', ')})`)
    throw new OutcomeError([invalidValue({ name: '_list' }, name, { zh: `可用的功能列表：${offered.join('、')}。`, en: `functional lists are ${offered.join(', ')}.` })])
  }
  return conditions.map(([parameter, values]) => parameterCriterion(context, parameter, values)).filter((each) => each !== null)
}
