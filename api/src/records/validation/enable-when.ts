/**
 * Whether a question is asked, by the answers to others. Where the question that decides was answered in several places, those nearest count: of the
 * innermost group that has any. Source: FHIR R4 Questionnaire.item.enableWhen, ValueSet questionnaire-enable-operator.
 */
import { isJson, objects } from './items.ts'
import { compare } from './patterns.ts'
import { type Condition, type Question, valueOf } from './questionnaire.ts'

type Json = Record<string, unknown>

interface Answered {
  values: readonly unknown[]
  /** The objects that it stands in, the outermost first. */
  within: readonly Json[]
}

/** The answers of a response by linkId. */
export type Answers = ReadonlyMap<string, readonly Answered[]>

export function answersOf(response: Json): Answers {
  const found = new Map<string, Answered[]>()
  const gather = (holder: Json, within: readonly Json[]): void => {
    for (const item of objects(holder.item)) {
      const answers = objects(item.answer)
      const values = answers.map(valueOf).filter((each) => each !== undefined)
      const inner = [...within, item]
      if (typeof item.linkId === 'string') {
        const known = found.get(item.linkId)
        if (known) known.push({ values, within })
        else found.set(item.linkId, [{ values, within }])
      }
      gather(item, inner)
      for (const answer of answers) gather(answer, [...inner, answer])
    }
  }
  gather(response, [response])
  return found
}

/** @param within the objects that the question stands in, the outermost first. @returns null where it cannot be told. */
export function isAsked(question: Question, within: readonly Json[], answers: Answers): boolean | null {
  if (question.isAskedByRule) return null
  if (question.conditions.length === 0) return true
  const holds = (condition: Condition): boolean => meets(nearestValues(condition.question, within, answers), condition)
  return question.allConditions ? question.conditions.every(holds) : question.conditions.some(holds)
}

function nearestValues(linkId: string, within: readonly Json[], answers: Answers): unknown[] {
  const all = answers.get(linkId) ?? []
  const shared = all.map((each) => commonDepth(each.within, within))
  const deepest = Math.max(...shared)
  return all.filter((_, index) => shared[index] === deepest).flatMap(({ values }) => values)
}

function commonDepth(one: readonly Json[], other: readonly Json[]): number {
  let depth = 0
  while (depth < one.length && one[depth] === other[depth]) depth++
  return depth
}

function meets(values: readonly unknown[], { operator, answer }: Condition): boolean {
  switch (operator) {
    case 'exists': return (values.length > 0) === answer
    case '=': return values.some((each) => isEqual(each, answer))
    case '!=': return values.some((each) => !isEqual(each, answer))
    case '>': return values.some((each) => order(each, answer) > 0)
    case '<': return values.some((each) => order(each, answer) < 0)
    case '>=': return values.some((each) => order(each, answer) >= 0)
    case '<=': return values.some((each) => order(each, answer) <= 0)
    default: return false
  }
}

/** Codes are equal by system and code, references by their address, quantities where neither is more. */
export function isEqual(value: unknown, other: unknown): boolean {
  if (!isJson(value) || !isJson(other)) return value === other
  if (other.reference !== undefined) return value.reference === other.reference
  if (other.value !== undefined) return order(value, other) === 0
  return value.code === other.code && (other.code !== undefined || value.display === other.display) && (other.system === undefined || value.system === other.system)
}

/** Of texts that are no dates, the order of their characters; NaN for what has no order, which is neither more nor less. */
function order(value: unknown, other: unknown): number {
  const found = compare(value, other)
  if (found !== null) return found
  return typeof value === 'string' && typeof other === 'string' ? Number(value > other) - Number(value < other) : Number.NaN
}
