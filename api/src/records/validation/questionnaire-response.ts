/**
 * Whether the answers of a QuestionnaireResponse are those of its Questionnaire: items by linkId in the places and in the order of the questions,
 * answers of their types, as many as may be, within their limits; in a completed one what is required; nothing where a question is not asked.
 * A questionnaire that nobody knows, or none, leaves the answers as they are; `$validate` says so. Source: FHIR R4 QuestionnaireResponse.
 */
import type { Questionnaire } from '@medplum/fhirtypes'
import { nearest } from '../../fhir/nearest.ts'
import type { MatchBudget } from '../../terminology/user-pattern.ts'
import { report, type Run } from '../validate.ts'
import { type Answers, answersOf, isAsked, isEqual } from './enable-when.ts'
import { evaluator, isDangerous, isKept } from './fhirpath-engine.ts'
import { isJson, objects } from './items.ts'
import { checkAnswer } from './questionnaire-answers.ts'
import { type ItemRule, type Question, questionsOf, valueKey } from './questionnaire.ts'
import * as say from './questionnaire-sentences.ts'

type Json = Record<string, unknown>

/** What is asked of the whole response. */
interface Sheet {
  response: Json
  answers: Answers
  /** What is missing counts only in one that says it is complete. */
  complete: boolean
  /** All that the questionnaire asks, wherever it stands. */
  linkIds: ReadonlySet<string>
  budget: MatchBudget
}

/** Milliseconds for the patterns of one response. */
const patternMs = 100

/** The run's path stands at the response. */
export function checkResponse(run: Run, response: Json): void {
  const { questionnaire: canonical, status } = response
  if (typeof canonical !== 'string' || canonical === '' || status === 'entered-in-error') return
  const questionnaire = questionnaireOf(run, canonical)
  if (questionnaire === null) {
    if (run.warnings) report(run, 'not-found', say.unknownQuestionnaire(canonical), '.questionnaire', 'warning')
    return
  }
  const questions = questionsOf(questionnaire, canonical)
  const sheet: Sheet = {
    response, answers: answersOf(response), complete: status === 'completed' || status === 'amended', linkIds: linkIdsOf(questions), budget: { ms: patternMs },
  }
  checkItems(run, sheet, response, questions, [response])
}

function questionnaireOf(run: Run, canonical: string): Questionnaire | null {
  if (canonical.startsWith('#')) {
    const { contained } = run.container
    return objects(contained).find(({ resourceType, id }) => resourceType === 'Questionnaire' && id === canonical.slice(1)) as Questionnaire | undefined ?? null
  }
  const found = run.stored.questionnaires.get(canonical)
  if (found === undefined) run.wanted.questionnaires.add(canonical)
  return found ?? null
}

function linkIdsOf(questions: readonly Question[], found = new Set<string>()): ReadonlySet<string> {
  for (const { linkId, items } of questions) {
    found.add(linkId)
    linkIdsOf(items, found)
  }
  return found
}

/** The items that stand in a holder (the response, a group, an answer). `within`: the holder and those around it, the outermost first. */
function checkItems(run: Run, sheet: Sheet, holder: Json, questions: readonly Question[], within: readonly Json[]): void {
  const places = new Map(questions.map(({ linkId }, index) => [linkId, index]))
  const given = new Map<string, { item: Json; step: string }[]>()
  let highest = -1
  for (const [index, item] of (Array.isArray(holder.item) ? holder.item : []).entries()) {
    if (!isJson(item) || typeof item.linkId !== 'string') continue
    const step = `.item[${index}]`
    const place = places.get(item.linkId)
    if (place === undefined) {
      report(run, 'element-unknown', sheet.linkIds.has(item.linkId) ? say.misplaced(item.linkId) : say.unknownLinkId(item.linkId, nearest(item.linkId, sheet.linkIds)), `${step}.linkId`)
      continue
    }
    if (place < highest) report(run, 'structure', say.orderBroken(item.linkId), step)
    highest = Math.max(highest, place)
    const known = given.get(item.linkId)
    if (known) known.push({ item, step })
    else given.set(item.linkId, [{ item, step }])
  }
  for (const question of questions) checkQuestion(run, sheet, question, given.get(question.linkId) ?? [], within)
}

function checkQuestion(run: Run, sheet: Sheet, question: Question, given: readonly { item: Json; step: string }[], within: readonly Json[]): void {
  const asked = isAsked(question, within, sheet.answers)
  if (asked === false) {
    for (const { item, step } of given) if (isAnswered(item)) report(run, 'invariant-broken', say.notAsked(question), step)
    return
  }
  const isGroup = question.type === 'group'
  const found = isGroup ? given.filter(({ item }) => objects(item.item).length > 0) : given.filter(({ item }) => objects(item.answer).length > 0)
  const [first] = given
  const step = first?.step ?? '.item'
  if (sheet.complete && question.required && found.length === 0 && asked && isAnswerable(question, [...within, ...first ? [first.item] : []], sheet.answers)) report(run, 'required', say.unanswered(question), step)
  const [, second] = given
  if (second && !(isGroup && question.repeats)) report(run, 'cardinality', say.severalItems(question), second.step)
  const count = isGroup ? given.length : given.reduce((sum, { item }) => sum + objects(item.answer).length, 0)
  if (question.maxOccurs !== null && count > question.maxOccurs) report(run, 'cardinality', say.moreThan(question, question.maxOccurs, count), step)
  // A question that may be left out is asked for its least number only where it stands.
  if (asked && sheet.complete && question.minOccurs !== null && count < question.minOccurs && (given.length > 0 || question.required)) {
    report(run, 'required', say.fewerThan(question, question.minOccurs, count), step)
  }
  for (const { item, step: at } of given) atStep(run, at, () => checkItem(run, sheet, item, question, [...within, item]))
}

/** The run's path stands at the item. */
function checkItem(run: Run, sheet: Sheet, item: Json, question: Question, within: readonly Json[]): void {
  const answers: unknown[] = Array.isArray(item.answer) ? item.answer : []
  for (const rule of question.rules) checkRule(run, sheet, item, rule)
  if (question.type === 'group') {
    if (answers.length > 0) report(run, 'structure', say.noAnswersHere(question), '.answer')
    checkItems(run, sheet, item, question.items, within)
    return
  }
  // `question` is the abstract type of all those that have answers.
  if (question.type === 'display' || question.type === 'question') {
    if (answers.length > 0) report(run, 'structure', say.noAnswersHere(question), '.answer')
    return
  }
  if (Array.isArray(item.item)) report(run, 'structure', say.belongsToAnswer(question), '.item')
  if (answers.length > 1 && !question.repeats) report(run, 'cardinality', say.oneAnswer(question), '.answer')
  for (const [index, answer] of answers.entries()) {
    if (!isJson(answer)) continue
    atStep(run, `.answer[${index}]`, () => {
      const key = valueKey(answer)
      if (key !== null) checkAnswer(run, answer, key, question, sheet.budget)
      if (key !== null && answers.length > 1 && question.options.some(({ exclusive, value }) => exclusive && isEqual(answer[key], value))) {
        report(run, 'invariant-broken', say.exclusiveOption(question.linkId), '.value')
      }
      checkItems(run, sheet, answer, question.items, [...within, answer])
    })
  }
}

function checkRule(run: Run, { response }: Sheet, item: Json, { expression, human, severity }: ItemRule): void {
  if ((severity === 'warning' && !run.warnings) || isDangerous(expression)) return
  const verdict = evaluator(expression, 'QuestionnaireResponse.item')(item, { resource: response, rootResource: run.container })
  if (!isKept(verdict)) report(run, 'invariant-broken', say.ruleBroken(human), '', severity)
}

/** A group is, when anything in it is asked. */
function isAnswerable({ type, items }: Question, within: readonly Json[], answers: Answers): boolean {
  if (type !== 'group') return type !== 'display'
  return items.some((each) => isAsked(each, within, answers) !== false && isAnswerable(each, within, answers))
}

/** Whether there is any answer in an item, however deep. */
function isAnswered(item: Json): boolean {
  return objects(item.answer).length > 0 || objects(item.item).some(isAnswered)
}

function atStep(run: Run, step: string, check: () => void): void {
  run.path.push(step)
  check()
  run.path.pop()
}
