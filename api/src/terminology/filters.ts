/**
 * `compose.include.filter` → a condition on concepts. Each operator of FHIR R4 (http://hl7.org/fhir/filter-operator) is one
 * entry of the table. A regex is matched whole, and runs under a time limit of the request: a pattern may come from anybody,
 * and some patterns take for ever on some codes.
 */
import { compilePattern, matchAll } from './user-pattern.ts'
import { withAncestors, withDescendants } from './compile-code-system.ts'
import * as say from './sentences.ts'
import type { Budget, Concept, System, SystemFilter } from './shapes.ts'

export type Condition = (concept: Concept) => boolean

interface Question { system: System; filter: SystemFilter; at: string; budget: Budget }

const operators: Readonly<Record<string, (question: Question) => Condition>> = {
  '=': ({ filter: { property, value } }) => (concept) => valuesOf(concept, property).includes(value),
  'in': ({ filter: { property, value } }) => {
    const list = splitList(value)
    return (concept) => valuesOf(concept, property).some((each) => list.has(each))
  },
  'not-in': ({ filter: { property, value } }) => {
    const list = splitList(value)
    return (concept) => !valuesOf(concept, property).some((each) => list.has(each))
  },
  'exists': ({ filter: { property, value }, at }) => {
    if (value !== 'true' && value !== 'false') throw say.brokenCompose(`${at}.value`, 'exists 的值应为 true 或 false。', 'exists takes true or false.')
    return (concept) => (valuesOf(concept, property).length > 0) === (value === 'true')
  },
  'is-a': (question) => among(withDescendants(named(question))),
  'is-not-a': (question) => not(among(withDescendants(named(question)))),
  'descendent-of': (question) => {
    const concept = named(question)
    const below = withDescendants(concept)
    below.delete(concept)
    return among(below)
  },
  'generalizes': (question) => among(withAncestors(named(question))),
  'regex': regex,
}

/** @throws OutcomeError `value-invalid` for an operator or property the system does not have, `too-costly`. */
export function conditionOf(question: Question): Condition {
  const { system, filter, at } = question
  const own = system.ownFilter(filter)
  if (own) return own
  const operator = Object.hasOwn(operators, filter.op) ? operators[filter.op] : undefined
  if (!operator) {
    const known = Object.keys(operators).join(', ')
    throw say.brokenCompose(`${at}.op`, `没有运算符 ${filter.op.slice(0, 40)}，可用：${known}。`, `there is no operator ${filter.op.slice(0, 40)}. There are: ${known}.`)
  }
  if (!isProperty(system, filter.property)) {
    const names = [...always, ...system.properties].join(', ')
    throw say.brokenCompose(`${at}.property`, `代码系统没有属性 ${filter.property.slice(0, 60)}，可用：${names}。`, `the code system has no property ${filter.property.slice(0, 60)}. There are: ${names}.`)
  }
  return operator(question)
}

/** What every concept can be asked for. `concept` is the concept itself, for the hierarchy. */
const always: readonly string[] = ['code', 'concept', 'display', 'definition', 'parent', 'child', 'inactive', 'notSelectable']

function isProperty(system: System, name: string): boolean {
  return always.includes(name) || system.properties.has(name)
}

function valuesOf(concept: Concept, property: string): string[] {
  switch (property) {
    case 'code':
    case 'concept': return [concept.code]
    case 'display': return concept.display === null ? [] : [concept.display]
    case 'definition': return concept.definition === null ? [] : [concept.definition]
    case 'parent': return concept.parents.map((each) => each.code)
    case 'child': return concept.children.map((each) => each.code)
    case 'inactive': return [String(concept.inactive)]
    case 'notSelectable': return [String(concept.abstract)]
    default: return concept.properties.flatMap((each) => {
      const value = each.code === property
        ? each.valueCode ?? each.valueString ?? each.valueBoolean ?? each.valueInteger ?? each.valueDecimal ?? each.valueDateTime ?? each.valueCoding?.code : undefined
      return value === undefined ? [] : [String(value)]
    })
  }
}

/** The concept that the value of a hierarchy filter names. */
function named({ system, filter, at }: Question): Concept {
  if (filter.property !== 'concept' && filter.property !== 'code') {
    throw say.brokenCompose(`${at}.property`, `${filter.op} 只能用于 concept。`, `${filter.op} is for the property concept.`)
  }
  if (system.concepts === null) throw say.endlessSystem(system.name)
  const concept = system.find(filter.value)
  if (concept) return concept
  const { zh, en } = say.unknownCodeText(system.url, filter.value)
  throw say.brokenCompose(`${at}.value`, zh, en)
}

function among(concepts: ReadonlySet<Concept>): Condition {
  return (concept) => concepts.has(concept)
}

function not(condition: Condition): Condition {
  return (concept) => !condition(concept)
}

function splitList(value: string): Set<string> {
  return new Set(value.split(',').map((each) => each.trim()))
}

/** The whole system is matched at once, in a context of its own that can be stopped. */
function regex({ system, filter: { property, value }, at, budget }: Question): Condition {
  const { concepts } = system
  if (concepts === null) throw say.endlessSystem(system.name)
  const pattern = compilePattern(value)
  if (!pattern) throw say.brokenCompose(`${at}.value`, '不是正确的正则表达式。', 'it is not a regular expression.')
  const kept = matchAll(pattern, concepts.map((concept) => valuesOf(concept, property)), budget.patterns)
  if (!kept) throw say.tooMuchWork()
  return among(new Set(concepts.filter((_, no) => kept[no])))
}
