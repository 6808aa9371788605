/**
 * Whether a question is asked, by the answers to others. Where the question that decides was answered in several places, those nearest count: of the
 * innermost group that has any. What cannot be told (values that do not compare, an answer that is only said to be absent) is not held against a response.
 * Source: FHIR R4 Questionnaire.item.enableWhen, ValueSet questionnaire-enable-operator.
 */
import { timeRange } from '../../fhir/date-time.ts'
import { isJson, objects } from './items.ts'
import { compare } from './patterns.ts'
import { type Condition, type Question, valueIn } from './questionnaire.ts'

type Json = Record<string, unknown>

interface Answered {
  values: readonly unknown[]
  /** There is an answer without a value: why there is none, perhaps. */
  isOpen: boolean
  /** The objects that it stands in, the outermost first. */
  within: readonly Json[]
}

/** The answers of a response by linkId, and how many comparisons may still be made of them. */
export interface Answers { byLinkId: ReadonlyMap<string, readonly Answered[]>; steps: number }

/** @param steps comparisons that the whole response may take; afterwards nothing can be told. */
export function answersOf(response: Json, steps: number): Answers {
  const found = new Map<string, Answered[]>()
  const gather = (holder: Json, within: readonly Json[]): void => {
    for (const item of objects(holder.item)) {
      const answers = objects(item.answer)
      const values = answers.map(valueIn).filter((each) => each !== undefined)
      const inner = [...within, item]
      if (typeof item.linkId === 'string') {
        const answered = { values, isOpen: values.length < answers.length, within }
        const known = found.get(item.linkId)
        if (known) known.push(answered)
        else found.set(item.linkId, [answered])
      }
      gather(item, inner)
      for (const answer of answers) gather(answer, [...inner, answer])
    }
  }
  gather(response, [response])
  return { byLinkId: found, steps }
}

/** @param within the objects that the question stands in, the outermost first. @returns null where it cannot be told. */
export function isAsked(question: Question, within: readonly Json[], answers: Answers): boolean | null {
  if (question.isAskedByRule) return null
  if (question.conditions.length === 0) return true
  const found = question.conditions.map((condition) => {
    const near = nearestAnswers(condition.question, within, answers)
    return near && meets(near, condition)
  })
  const decisive = !question.allConditions
  return found.includes(decisive) ? decisive : found.includes(null) ? null : !decisive
}

function nearestAnswers(linkId: string, within: readonly Json[], answers: Answers): Pick<Answered, 'values' | 'isOpen'> | null {
  const all = answers.byLinkId.get(linkId) ?? []
  answers.steps -= all.length + 1
  if (answers.steps < 0) return null
  let deepest = -1
  let values: unknown[] = []
  let isOpen = false
  for (const each of all) {
    const depth = commonDepth(each.within, within)
    if (depth < deepest) continue
    if (depth > deepest) [deepest, values, isOpen] = [depth, [], false]
    for (const value of each.values) values.push(value)
    isOpen ||= each.isOpen
  }
  return { values, isOpen }
}

function commonDepth(one: readonly Json[], other: readonly Json[]): number {
  let depth = 0
  while (depth < one.length && one[depth] === other[depth]) depth++
  return depth
}

function meets({ values, isOpen }: Pick<Answered, 'values' | 'isOpen'>, { operator, answer }: Condition): boolean | null {
  if (operator === 'exists') return values.length > 0 ? answer === true : isOpen ? null : answer === false
  const found = values.map((value) => compares(value, operator, answer))
  if (operator !== '!=') return found.includes(true) ? true : found.includes(null) ? null : false
  // That one differs, or that none is equal: where the two readings differ it cannot be told.
  if (values.length === 0 || found.includes(null)) return null
  return found.every((each) => each) ? true : found.some((each) => each) ? null : false
}

function compares(value: unknown, operator: string, answer: unknown): boolean | null {
  const equal = equality(value, answer)
  if (operator === '=') return equal
  if (operator === '!=') return equal === null ? null : !equal
  const found = order(value, answer)
  if (found === null) return null
  switch (operator) {
    case '>': return found > 0
    case '<': return found < 0
    case '>=': return found >= 0
    case '<=': return found <= 0
    default: return null
  }
}

/** Codes are equal by system and code, references by address or identifier, quantities and instants where neither is more; null where it cannot be told. */
function equality(value: unknown, other: unknown): boolean | null {
  if (!isJson(value) || !isJson(other)) {
    if (value === other) return true
    const found = typeof value === 'string' && typeof other === 'string' && timeRange(value) && timeRange(other) ? order(value, other) : undefined
    return found === undefined ? false : found === null ? null : found === 0
  }
  if (other.value !== undefined && other.reference === undefined && other.identifier === undefined) {
    const found = order(value, other)
    return found === null ? null : found === 0
  }
  return isEqual(value, other)
}

/** Whether an answer is an option of its question. */
export function isEqual(value: unknown, other: unknown): boolean {
  if (!isJson(value) || !isJson(other)) return value === other
  if (other.reference !== undefined) return value.reference === other.reference
  if (isJson(other.identifier)) return isJson(value.identifier) && value.identifier.value === other.identifier.value && value.identifier.system === other.identifier.system
  return value.code === other.code && (other.code !== undefined || value.display === other.display) && (other.system === undefined || value.system === other.system)
}

/** Null for what has no order, and for a date that overlaps another without being the same. Of other texts, the order of their characters. */
function order(value: unknown, other: unknown): number | null {
  const found = compare(value, other)
  if (typeof value !== 'string' || typeof other !== 'string') return found
  if (found === null) return Number(value > other) - Number(value < other)
  const [one, two] = [timeRange(value), timeRange(other)]
  return found === 0 && one && two && (one.lo !== two.lo || one.hi !== two.hi) ? null : found
}
