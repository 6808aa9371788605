/** Whether one answer is of the type that its question asks for, one of the options, and within its limits. */
import { decimalText } from '../../fhir/json.ts'
import { nearest } from '../../fhir/nearest.ts'
import { referencedType } from '../../fhir/references.ts'
import { compilePattern, matchAll, type MatchBudget } from '../../terminology/user-pattern.ts'
import { unknownCode } from '../validation-sentences.ts'
import { report, type Run } from '../validate.ts'
import { isMember } from './check-binding.ts'
import { isEqual } from './enable-when.ts'
import { isJson } from './items.ts'
import { compare } from './patterns.ts'
import type { Question } from './questionnaire.ts'
import * as say from './questionnaire-sentences.ts'

type Json = Record<string, unknown>

/** Element of the answer for each type of question; choices have several. Source: FHIR R4 ValueSet item-type. */
const elements: Readonly<Record<string, readonly string[]>> = {
  boolean: ['valueBoolean'], decimal: ['valueDecimal', 'valueInteger'], integer: ['valueInteger'], date: ['valueDate'], dateTime: ['valueDateTime', 'valueDate'],
  time: ['valueTime'], string: ['valueString'], text: ['valueString'], url: ['valueUri'], attachment: ['valueAttachment'], reference: ['valueReference'],
  quantity: ['valueQuantity'], choice: ['valueCoding', 'valueString', 'valueInteger', 'valueDate', 'valueTime', 'valueReference'],
}
const ofOpenChoice = elements.choice as readonly string[]

/** The run's path stands at the answer. */
export function checkAnswer(run: Run, answer: Json, key: string, question: Question, budget: MatchBudget): void {
  const value = answer[key]
  const allowed = question.type === 'open-choice' ? ofOpenChoice : elements[question.type]
  if (!allowed) return
  if (!allowed.includes(key)) {
    report(run, 'structure', say.wrongAnswerType(question, allowed, key), '.value')
    return
  }
  const isFree = question.type === 'open-choice' && key === 'valueString'
  if (!isFree) checkOptions(run, value, question)
  checkLimits(run, answer, key, question)
  if (typeof value === 'string') checkText(run, value, question, budget)
  else if (isJson(value)) checkParts(run, value, question)
}

function checkOptions(run: Run, value: unknown, { options, valueSet, linkId }: Question): void {
  if (options.length > 0) {
    if (options.some((each) => isEqual(value, each.value))) return
    const texts = options.map((each) => codeOf(each.value))
    report(run, 'code-unknown', say.notAnOption(linkId, codeOf(value), nearest(codeOf(value), texts)), '.value')
  } else if (valueSet !== null && isJson(value) && typeof value.code === 'string') {
    const system = typeof value.system === 'string' ? value.system : ''
    if (isMember(run, valueSet, system, value.code) === false) report(run, 'code-unknown', unknownCode(value.code, valueSet, null), '.value')
  }
}

function codeOf(value: unknown): string {
  if (!isJson(value)) return String(value)
  const said = value.code ?? value.reference ?? value.display
  return typeof said === 'string' ? said : ''
}

function checkLimits(run: Run, answer: Json, key: string, question: Question): void {
  const value = answer[key]
  if (question.minValue !== undefined && (compare(value, question.minValue) ?? 0) < 0) report(run, 'value-invalid', say.belowMin(question), '.value')
  if (question.maxValue !== undefined && (compare(value, question.maxValue) ?? 0) > 0) report(run, 'value-invalid', say.aboveMax(question), '.value')
  const digits = isJson(value) ? decimalText(value, 'value') : decimalText(answer, key)
  const places = digits?.split('.')[1]?.length ?? 0
  if (question.decimalPlaces !== null && places > question.decimalPlaces) report(run, 'value-invalid', say.tooManyPlaces(question.linkId, question.decimalPlaces), '.value')
}

function checkText(run: Run, value: string, { linkId, minLength, maxLength, pattern }: Question, budget: MatchBudget): void {
  const length = [...value].length
  if (maxLength !== null && length > maxLength) report(run, 'value-invalid', say.longerThan(linkId, maxLength, length), '.value')
  if (minLength !== null && length < minLength) report(run, 'value-invalid', say.shorterThan(linkId, minLength, length), '.value')
  // A pattern that is none, or takes too long, is not held against the answer.
  const compiled = pattern === null ? null : compilePattern(pattern)
  if (compiled && matchAll(compiled, [[value]], budget)?.[0] === false) report(run, 'value-invalid', say.patternMissed(linkId, pattern ?? ''), '.value')
}

function checkParts(run: Run, value: Json, { linkId, type, units, unitSet, targets, mimeTypes }: Question): void {
  if (type === 'quantity') {
    if (units.length > 0 && !units.some((each) => isEqual(value, each))) report(run, 'code-unknown', say.unitNotOffered(linkId, units.map(codeOf)), '.value')
    else if (unitSet !== null && typeof value.code === 'string' && isMember(run, unitSet, typeof value.system === 'string' ? value.system : '', value.code) === false) {
      report(run, 'code-unknown', unknownCode(value.code, unitSet, null), '.value')
    }
  } else if (type === 'reference' && targets.length > 0) {
    const target = referencedType(value, run.container)
    if (target !== null && !targets.includes(target)) report(run, 'reference-invalid', say.targetNotAllowed(linkId, target, targets), '.value')
  } else if (type === 'attachment' && mimeTypes.length > 0 && typeof value.contentType === 'string') {
    const [given = ''] = value.contentType.split(';')
    if (!mimeTypes.includes(given.trim())) report(run, 'value-invalid', say.mediaTypeNotAllowed(linkId, given, mimeTypes), '.value')
  }
}
