/**
 * Whether the answers of a QuestionnaireResponse are those of its Questionnaire: items by linkId in the places and in the order of the questions,
 * answers of their types, as many as may be, within their limits; in a completed one what is required; nothing where a question is not asked.
 * A response that names no version is right when it fits one of those that are known. A questionnaire that nobody knows, or none, leaves the answers as
 * they are; `$validate` says so. The work is bounded: of a response that would take more steps the rest is not judged. Source: FHIR R4 QuestionnaireResponse.
 */
import type { Questionnaire } from '@medplum/fhirtypes'
import { nearest } from '../../fhir/nearest.ts'
import { maxIssues, report, type Run } from '../validate.ts'
import { type Answers, answersOf, isAsked, isEqual } from './enable-when.ts'
import { evaluator, isDangerous, isKept } from './fhirpath-engine.ts'
import { isJson, objects } from './items.ts'
import { checkAnswer } from './questionnaire-answers.ts'
import { type ItemRule, optionName, type Question, questionsOf, valueKey } from './questionnaire.ts'
import * as say from './questionnaire-sentences.ts'

type Json = Record<string, unknown>

/** A response that is held against a questionnaire. */
interface Sheet {
  response: Json
  /** How it names its questionnaire. */
  canonical: string
  answers: Answers
  /** What is missing counts only in one that says it is complete. */
  complete: boolean
  /** All that the questionnaire asks, wherever it stands. */
  linkIds: ReadonlySet<string>
}

/** Questions asked of places, and comparisons with answers, that one response may take. */
const stepsMax = 300_000
/** Longer questionnaires are not searched for what was probably meant. */
const suggestedMax = 500
/** Versions of a questionnaire that a response without one is held against. */
const versionsMax = 5

/** The run's path stands at the response. */
export function checkResponse(run: Run, response: Json): void {
  const { questionnaire: canonical, status } = response
  if (!run.judgesAnswers || typeof canonical !== 'string' || canonical === '' || status === 'entered-in-error') return
  const candidates = candidatesOf(run, canonical)
  const [newest] = candidates
  if (!newest) {
    if (run.warnings) report(run, 'not-found', say.unknownQuestionnaire(canonical), '.questionnaire', 'warning')
    return
  }
  const fits = (questionnaire: Questionnaire): boolean => {
    const silent: Run = { ...run, issues: [], warnings: false }
    checkAgainst(silent, response, canonical, questionnaire)
    return silent.issues.length === 0
  }
  checkAgainst(run, response, canonical, candidates.length === 1 ? newest : candidates.slice(0, versionsMax).find(fits) ?? newest)
}

/** The newest first. */
function candidatesOf(run: Run, canonical: string): readonly Questionnaire[] {
  if (canonical.startsWith('#')) {
    return objects(run.container.contained).filter(({ resourceType, id }) => resourceType === 'Questionnaire' && id === canonical.slice(1)) as unknown as Questionnaire[]
  }
  const found = run.stored.questionnaires.get(canonical)
  if (found === undefined) run.wanted.questionnaires.add(canonical)
  return found ?? []
}

function checkAgainst(run: Run, response: Json, canonical: string, questionnaire: Questionnaire): void {
  const questions = questionsOf(questionnaire)
  // An adaptive questionnaire may have none: what is asked is made up while it is answered.
  if (questions.length === 0) return
  const complete = response.status === 'completed' || response.status === 'amended'
  checkItems(run, { response, canonical, answers: answersOf(response, stepsMax), complete, linkIds: linkIdsOf(questions) }, response, questions, [response])
}

function linkIdsOf(questions: readonly Question[], found = new Set<string>()): ReadonlySet<string> {
  for (const { linkId, items } of questions) {
    found.add(linkId)
    linkIdsOf(items, found)
  }
  return found
}

const places = new WeakMap<readonly Question[], ReadonlyMap<string, number>>()

/** Where each question stands among its neighbours. A group may be there thousands of times. */
function placesOf(questions: readonly Question[]): ReadonlyMap<string, number> {
  const known = places.get(questions)
  if (known) return known
  const made = new Map(questions.map(({ linkId }, index) => [linkId, index]))
  places.set(questions, made)
  return made
}

interface Given { item: Json; step: string }

/** The items that stand in a holder (the response, a group, an answer). `within`: the holder and those around it, the outermost first. */
function checkItems(run: Run, sheet: Sheet, holder: Json, questions: readonly Question[], within: readonly Json[]): void {
  const order = placesOf(questions)
  const given = new Map<string, Given[]>()
  let highest = -1
  for (const [index, item] of (Array.isArray(holder.item) ? holder.item : []).entries()) {
    if (run.issues.length >= maxIssues) return
    if (!isJson(item) || typeof item.linkId !== 'string') continue
    const step = `.item[${index}]`
    const place = order.get(item.linkId)
    if (place === undefined) {
      reportForeign(run, sheet, item.linkId, step)
      continue
    }
    if (place < highest) report(run, 'structure', say.orderBroken(item.linkId), step)
    highest = Math.max(highest, place)
    const known = given.get(item.linkId)
    if (known) known.push({ item, step })
    else given.set(item.linkId, [{ item, step }])
  }
  for (const question of questions) {
    if (--sheet.answers.steps < 0 || run.issues.length >= maxIssues) return
    checkQuestion(run, sheet, question, given.get(question.linkId) ?? [], within)
  }
}

function reportForeign(run: Run, { linkIds }: Sheet, linkId: string, step: string): void {
  const text = linkIds.has(linkId) ? say.misplaced(linkId) : say.unknownLinkId(linkId, linkIds.size > suggestedMax ? null : nearest(linkId, linkIds))
  report(run, 'element-unknown', text, `${step}.linkId`)
}

function checkQuestion(run: Run, sheet: Sheet, question: Question, given: readonly Given[], within: readonly Json[]): void {
  const asked = isAsked(question, within, sheet.answers)
  if (asked === false) {
    for (const { item, step } of given) if (isAnswered(item)) report(run, 'invariant-broken', say.notAsked(question), step)
    return
  }
  const isGroup = question.type === 'group'
  const [first, second] = given
  const step = first?.step ?? '.item'
  const found = given.some(({ item }) => objects(isGroup ? item.item : item.answer).length > 0 || isSaidAbsent(item))
  if (sheet.complete && question.required && !found && asked && isAnswerable(question, [...within, ...first ? [first.item] : []], sheet.answers)) report(run, 'required', say.unanswered(question), step)
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
  if (Array.isArray(item.item)) report(run, 'structure', say.belongsToAnswer(question), '.item')
  // `question` is the abstract type of all those that have answers.
  if (question.type === 'display' || question.type === 'question') {
    if (answers.length > 0) report(run, 'structure', say.noAnswersHere(question), '.answer')
    return
  }
  if (answers.length > 1 && !question.repeats) report(run, 'cardinality', say.oneAnswer(question), '.answer')
  for (const [index, answer] of answers.entries()) {
    if (run.issues.length >= maxIssues) return
    if (!isJson(answer)) continue
    atStep(run, `.answer[${index}]`, () => checkOneOf(run, sheet, answer, question, { within, alone: answers.length === 1 }))
  }
}

function checkOneOf(run: Run, sheet: Sheet, answer: Json, question: Question, { within, alone }: { within: readonly Json[]; alone: boolean }): void {
  const key = valueKey(answer)
  if (key !== null) {
    checkAnswer(run, answer, key, question, sheet.canonical)
    if (!alone && question.options.get(optionName(answer[key]))?.some(({ exclusive, value }) => exclusive && isEqual(answer[key], value))) {
      report(run, 'invariant-broken', say.exclusiveOption(question.linkId), '.value')
    }
  }
  // Where an answer only says that there is none, nothing below it is missing.
  checkItems(run, key === null ? { ...sheet, complete: false } : sheet, answer, question.items, [...within, answer])
}

/** Of a questionnaire that came with the response nobody has looked at the rules, which could take for ever. */
function checkRule(run: Run, { response, canonical, complete }: Sheet, item: Json, { expression, human, severity }: ItemRule): void {
  if (!complete || canonical.startsWith('#') || (severity === 'warning' && !run.warnings) || isDangerous(expression)) return
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

const absentUrl = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason'

function isSaidAbsent({ extension }: Json): boolean {
  return objects(extension).some(({ url }) => url === absentUrl)
}

function atStep(run: Run, step: string, check: () => void): void {
  run.path.push(step)
  check()
  run.path.pop()
}
