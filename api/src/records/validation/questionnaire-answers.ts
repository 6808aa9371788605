/** Whether one answer is of the type that its question asks for, one of the options, and within its limits. */
import { decimalText } from '../../fhir/json.ts'
import { nearest } from '../../fhir/nearest.ts'
import { compilePattern, matchAll } from '../../terminology/user-pattern.ts'
import { unknownCode } from '../validation-sentences.ts'
import { maxIssues, report, type Run } from '../validate.ts'
import { isMember } from './check-binding.ts'
import { isEqual } from './enable-when.ts'
import { isJson } from './items.ts'
import { compare } from './patterns.ts'
import { optionName, type Question } from './questionnaire.ts'
import * as say from './questionnaire-sentences.ts'
import { certainType } from './resolve.ts'

type Json = Record<string, unknown>

/** Element of the answer for each type of question; choices have several. Source: FHIR R4 ValueSet item-type. */
const elements: Readonly<Record<string, readonly string[]>> = {
  boolean: ['valueBoolean'], decimal: ['valueDecimal', 'valueInteger'], integer: ['valueInteger'], date: ['valueDate'], dateTime: ['valueDateTime', 'valueDate'],
  time: ['valueTime'], string: ['valueString'], text: ['valueString'], url: ['valueUri'], attachment: ['valueAttachment'], reference: ['valueReference'],
  quantity: ['valueQuantity'], choice: ['valueCoding', 'valueString', 'valueInteger', 'valueDate', 'valueTime', 'valueReference'],
}
const ofOpenChoice = elements.choice as readonly string[]

/** The run's path stands at the answer. `canonical`: how the response names its questionnaire. */
export function checkAnswer(run: Run, answer: Json, key: string, question: Question, canonical: string): void {
  const value = answer[key]
  const allowed = question.type === 'open-choice' ? ofOpenChoice : elements[question.type]
  if (!allowed) return
  if (!allowed.includes(key)) {
    report(run, 'structure', say.wrongAnswerType(question, allowed, key), '.value')
    return
  }
  const isFree = question.type === 'open-choice' && key === 'valueString'
  if (!isFree) checkOptions(run, value, question, canonical)
  checkLimits(run, answer, key, question)
  if (typeof value === 'string') checkText(run, value, question)
  else if (isJson(value)) checkParts(run, value, question, canonical)
}

/** Longer lists are not searched for what was probably meant. */
const suggestedMax = 200

function checkOptions(run: Run, value: unknown, { options, valueSet, linkId }: Question, canonical: string): void {
  if (options.size > 0) {
    const name = optionName(value)
    const named = options.get(name)
    if (named?.some((each) => isEqual(value, each.value))) return
    const suggestion = named || options.size > suggestedMax || run.issues.length >= maxIssues ? null : nearest(name, options.keys())
    report(run, 'code-unknown', named && isJson(value) && typeof value.system === 'string' ? say.otherSystem(linkId, name, value.system) : say.notAnOption(linkId, name, suggestion), '.value')
  } else if (valueSet !== null && isJson(value) && typeof value.code === 'string') {
    checkMember(run, valueSet, value, canonical)
  }
}

/** A set that the questionnaire contains is named by both. */
function checkMember(run: Run, valueSet: string, { system, code }: Json, canonical: string): void {
  const name = valueSet.startsWith('#') ? canonical + valueSet : valueSet
  if (isMember(run, name, typeof system === 'string' ? system : '', String(code)) === false) report(run, 'code-unknown', unknownCode(String(code).slice(0, 120), name, null), '.value')
}

function checkLimits(run: Run, answer: Json, key: string, question: Question): void {
  const value = answer[key]
  if (question.minValue !== undefined && (compare(value, question.minValue) ?? 0) < 0) report(run, 'value-invalid', say.belowMin(question), '.value')
  if (question.maxValue !== undefined && (compare(value, question.maxValue) ?? 0) > 0) report(run, 'value-invalid', say.aboveMax(question), '.value')
  if (question.decimalPlaces === null) return
  const digits = isJson(value) ? decimalText(value, 'value') : decimalText(answer, key)
  if (digits !== undefined && placesOf(digits) > question.decimalPlaces) report(run, 'value-invalid', say.tooManyPlaces(question.linkId, question.decimalPlaces), '.value')
}

/** `1.50` has two, `1.5e3` none. */
function placesOf(digits: string): number {
  const [mantissa = '', exponent = '0'] = digits.toLowerCase().split('e')
  return Math.max(0, (mantissa.split('.')[1]?.length ?? 0) - Number(exponent))
}

function checkText(run: Run, value: string, { linkId, minLength, maxLength, pattern }: Question): void {
  const length = [...value].length
  if (maxLength !== null && length > maxLength) report(run, 'value-invalid', say.longerThan(linkId, maxLength, length), '.value')
  if (minLength !== null && length < minLength) report(run, 'value-invalid', say.shorterThan(linkId, minLength, length), '.value')
  // A pattern that is none, or takes too long, is not held against the answer.
  const compiled = pattern === null ? null : compilePattern(pattern)
  if (compiled && matchAll(compiled, [[value]], run.patterns)?.[0] === false) report(run, 'value-invalid', say.patternMissed(linkId, pattern ?? ''), '.value')
}

function checkParts(run: Run, value: Json, question: Question, canonical: string): void {
  const { linkId, type, units, unitSet, hasOpenUnits, targets, mimeTypes } = question
  if (type === 'quantity' && !hasOpenUnits) {
    if (units.length > 0 && !units.some((each) => isUnit(value, each))) report(run, 'code-unknown', say.unitNotOffered(linkId, units.map(optionName)), '.value')
    else if (unitSet !== null && typeof value.code === 'string') checkMember(run, unitSet, value, canonical)
  } else if (type === 'reference' && targets.length > 0) {
    const target = certainType(run, value)
    if (target !== null && !targets.includes(target)) report(run, 'reference-invalid', say.targetNotAllowed(linkId, target, targets), '.value')
  } else if (type === 'attachment' && mimeTypes.length > 0 && typeof value.contentType === 'string') {
    const [given = ''] = value.contentType.split(';')
    if (!mimeTypes.includes(given.trim())) report(run, 'value-invalid', say.mediaTypeNotAllowed(linkId, given.slice(0, 120), mimeTypes), '.value')
  }
}

/** A unit without a code is known by its text. */
function isUnit(value: Json, option: Json): boolean {
  return value.code === undefined ? value.unit !== undefined && (value.unit === option.display || value.unit === option.code) : isEqual(value, option)
}
