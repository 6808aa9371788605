/** What is said of answers that do not fit their questionnaire, in both languages. */
import type { Sentence } from '../../fhir/outcome.ts'
import type { Question } from './questionnaire.ts'

type Named = Pick<Question, 'linkId' | 'text'>

function short(text: string): string {
  return [...text].length > 120 ? `${[...text].slice(0, 120).join('')}…` : text
}

/** The question as people know it, and its linkId. */
function named({ linkId, text }: Named): { zh: string; en: string } {
  const name = short(linkId)
  return text === null ? { zh: `“${name}”`, en: `"${name}"` } : { zh: `“${short(text)}”（${name}）`, en: `"${short(text)}" (${name})` }
}

export function unknownQuestionnaire(canonical: string): Sentence {
  return { zh: `本平台没有问卷 ${canonical}，回答未与问卷核对。`, en: `The questionnaire ${canonical} is not known here, so the answers were not held against it.` }
}

export function unknownLinkId(linkId: string, suggestion: string | null): Sentence {
  return {
    zh: `问卷中没有题目“${short(linkId)}”${suggestion ? `，是否想写“${suggestion}”？` : '。'}`,
    en: `The questionnaire has no item "${short(linkId)}".${suggestion ? ` Did you mean "${suggestion}"?` : ''}`,
  }
}

export function misplaced(linkId: string): Sentence {
  return { zh: `题目“${linkId}”不在这里，请放到问卷中对应的分组或答案下。`, en: `The item "${linkId}" does not belong here. Put it into the group, or under the answer, where the questionnaire has it.` }
}

export function orderBroken(linkId: string): Sentence {
  return { zh: `题目“${linkId}”的顺序与问卷不同，请按问卷的顺序排列。`, en: `The item "${linkId}" is out of order. Items stand in the order of the questionnaire.` }
}

export function notAsked(question: Named): Sentence {
  const name = named(question)
  return { zh: `按其他回答，${name.zh}不需要回答，请删除其答案。`, en: `${name.en} is not asked, because of other answers. Remove its answer.` }
}

export function unanswered(question: Named & Pick<Question, 'type'>): Sentence {
  const name = named(question)
  if (question.type === 'group') return { zh: `分组${name.zh}为必填，问卷标为已完成时须有内容。`, en: `The group ${name.en} needs something in it in a response that is complete.` }
  return { zh: `${name.zh}为必答，问卷标为已完成时须有回答。`, en: `${name.en} needs an answer in a response that is complete.` }
}

export function severalItems(question: Named & Pick<Question, 'type'>): Sentence {
  const name = named(question)
  return question.type === 'group'
    ? { zh: `分组${name.zh}只能出现一次。`, en: `The group ${name.en} may occur once.` }
    : { zh: `${name.zh}只能有一项；多个答案请写在同一项的 answer 中。`, en: `${name.en} may have one item. Several answers stand in its "answer".` }
}

export function oneAnswer(question: Named): Sentence {
  const name = named(question)
  return { zh: `${name.zh}只能有一个答案。`, en: `${name.en} takes one answer.` }
}

export function moreThan(question: Named & Pick<Question, 'type'>, max: number, found: number): Sentence {
  const name = named(question)
  if (question.type === 'group') return { zh: `分组${name.zh}最多出现 ${max} 次，现有 ${found} 次。`, en: `The group ${name.en} may occur at most ${max} ${max === 1 ? 'time' : 'times'}, not ${found}.` }
  return { zh: `${name.zh}最多可有 ${max} 个答案，现有 ${found} 个。`, en: `${name.en} takes at most ${max} ${max === 1 ? 'answer' : 'answers'}, not ${found}.` }
}

export function fewerThan(question: Named & Pick<Question, 'type'>, min: number, found: number): Sentence {
  const name = named(question)
  if (question.type === 'group') return { zh: `分组${name.zh}至少出现 ${min} 次，现有 ${found} 次。`, en: `The group ${name.en} must occur at least ${min} ${min === 1 ? 'time' : 'times'}, not ${found}.` }
  return { zh: `${name.zh}至少要有 ${min} 个答案，现有 ${found} 个。`, en: `${name.en} takes at least ${min} ${min === 1 ? 'answer' : 'answers'}, not ${found}.` }
}

export function noAnswersHere(question: Named): Sentence {
  const name = named(question)
  return { zh: `${name.zh}不是提问，不能有答案。`, en: `${name.en} is no question and has no answers.` }
}

export function belongsToAnswer(question: Named): Sentence {
  const name = named(question)
  return { zh: `${name.zh}的下级题目须写在答案（answer.item）下。`, en: `What is asked below ${name.en} stands under its answer: answer.item.` }
}

export function wrongAnswerType(question: Named, allowed: readonly string[], found: string): Sentence {
  const name = named(question)
  return { zh: `${name.zh}的答案应为 ${allowed.join('、')}，而不是 ${found}。`, en: `The answer to ${name.en} must be ${allowed.join(' or ')}, not ${found}.` }
}

export function notAnOption(linkId: string, found: string, suggestion: string | null): Sentence {
  return {
    zh: `“${short(found)}”不是题目“${linkId}”的选项${suggestion ? `，是否想写“${suggestion}”？` : '。'}`,
    en: `"${short(found)}" is no option of "${linkId}".${suggestion ? ` Did you mean "${suggestion}"?` : ''}`,
  }
}

export function otherSystem(linkId: string, code: string, system: string): Sentence {
  return { zh: `题目“${linkId}”的选项“${short(code)}”不属于代码系统 ${short(system)}。`, en: `The option "${short(code)}" of "${linkId}" is not of the code system ${short(system)}.` }
}

export function exclusiveOption(linkId: string): Sentence {
  return { zh: `题目“${linkId}”的此选项不能与其他选项同选。`, en: `This option of "${linkId}" can not be chosen together with others.` }
}

function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const { value: amount, unit, code } = value as { value?: unknown; unit?: unknown; code?: unknown }
  return [amount, unit ?? code].filter((each) => each !== undefined).join(' ')
}

export function belowMin({ linkId, minValue }: Question): Sentence {
  return { zh: `题目“${linkId}”的答案不能小于 ${shown(minValue)}。`, en: `The answer to "${linkId}" may not be below ${shown(minValue)}.` }
}

export function aboveMax({ linkId, maxValue }: Question): Sentence {
  return { zh: `题目“${linkId}”的答案不能大于 ${shown(maxValue)}。`, en: `The answer to "${linkId}" may not be above ${shown(maxValue)}.` }
}

export function tooManyPlaces(linkId: string, places: number): Sentence {
  return { zh: `题目“${linkId}”的答案最多 ${places} 位小数。`, en: `The answer to "${linkId}" has at most ${places} decimal places.` }
}

export function longerThan(linkId: string, max: number, found: number): Sentence {
  return { zh: `题目“${linkId}”的答案最长 ${max} 个字符，现有 ${found} 个。`, en: `The answer to "${linkId}" has at most ${max} characters, not ${found}.` }
}

export function shorterThan(linkId: string, min: number, found: number): Sentence {
  return { zh: `题目“${linkId}”的答案至少 ${min} 个字符，现有 ${found} 个。`, en: `The answer to "${linkId}" has at least ${min} characters, not ${found}.` }
}

export function patternMissed(linkId: string, pattern: string): Sentence {
  return { zh: `题目“${linkId}”的答案不符合格式 ${pattern}。`, en: `The answer to "${linkId}" does not have the form ${pattern}.` }
}

export function unitNotOffered(linkId: string, units: readonly string[]): Sentence {
  return { zh: `题目“${linkId}”的单位应为 ${units.slice(0, 10).join('、')}${units.length > 10 ? '……' : ''}。`, en: `The unit of "${linkId}" must be ${units.slice(0, 10).join(' or ')}${units.length > 10 ? ' …' : ''}.` }
}

export function targetNotAllowed(linkId: string, found: string, targets: readonly string[]): Sentence {
  return { zh: `题目“${linkId}”只能引用 ${targets.join('、')}，不能引用 ${found}。`, en: `The answer to "${linkId}" may refer only to ${targets.join(', ')}, not to a ${found}.` }
}

export function mediaTypeNotAllowed(linkId: string, found: string, allowed: readonly string[]): Sentence {
  return { zh: `题目“${linkId}”的附件应为 ${allowed.join('、')}，而不是 ${found}。`, en: `The attachment to "${linkId}" must be ${allowed.join(' or ')}, not ${found}.` }
}

export function ruleBroken(human: string): Sentence {
  return { zh: `不符合问卷的要求：${human}`, en: `The questionnaire asks otherwise: ${human}` }
}
