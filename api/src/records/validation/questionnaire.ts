/**
 * A Questionnaire as its answers are held against it: the questions as a tree, each with all that is asked of an answer, in the elements of R4 and
 * in HL7's extensions of them. Read once a definition; what is not shaped as it should be (a contained one may be) is read as if it said nothing.
 * Source: FHIR R4 Questionnaire; the extensions of R4 named below. `maxSize` is left alone: R4 does not say in what it counts.
 */
import type { Questionnaire } from '@medplum/fhirtypes'
import { isJson, objects } from './items.ts'

type Json = Record<string, unknown>

export interface Condition {
  /** linkId of the question that decides. */
  question: string
  operator: string
  /** Undefined where none is given. */
  answer: unknown
}

export interface Option { value: unknown; exclusive: boolean }

/** What an expression of the questionnaire asks of an item. */
export interface ItemRule { expression: string; human: string; severity: 'error' | 'warning' }

export interface Question {
  linkId: string
  type: string
  text: string | null
  required: boolean
  repeats: boolean
  conditions: readonly Condition[]
  /** All conditions must hold, not one. */
  allConditions: boolean
  /** Something else than conditions decides whether it is asked, which is not evaluated. */
  isAskedByRule: boolean
  /** By what `optionName` calls them. */
  options: ReadonlyMap<string, readonly Option[]>
  /** Address; `#id` of one that the questionnaire contains. */
  valueSet: string | null
  minLength: number | null
  maxLength: number | null
  minOccurs: number | null
  maxOccurs: number | null
  /** Undefined where nothing is said. */
  minValue: unknown
  maxValue: unknown
  decimalPlaces: number | null
  pattern: string | null
  units: readonly Json[]
  unitSet: string | null
  /** SDC: other units, or any text, will do too. */
  hasOpenUnits: boolean
  /** Types that a reference may go to; empty for any. */
  targets: readonly string[]
  mimeTypes: readonly string[]
  rules: readonly ItemRule[]
  items: readonly Question[]
}

const read = new WeakMap<object, readonly Question[]>()

export function questionsOf(questionnaire: Questionnaire): readonly Question[] {
  const known = read.get(questionnaire)
  if (known) return known
  const made = objects((questionnaire as unknown as Json).item).flatMap(questionOf)
  read.set(questionnaire, made)
  return made
}

const core = 'http://hl7.org/fhir/StructureDefinition/'
const structured = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-'

function questionOf(item: Json): Question[] {
  const { linkId, type } = item
  if (typeof linkId !== 'string' || typeof type !== 'string') return []
  const said = (name: string): unknown[] => objects(item.extension).filter(({ url }) => url === name).map(valueIn)
  const own = (name: string): unknown => said(core + name)[0]
  return [{
    linkId, type, text: typeof item.text === 'string' ? item.text : null, required: item.required === true, repeats: item.repeats === true,
    conditions: objects(item.enableWhen).flatMap(conditionOf),
    allConditions: item.enableBehavior === 'all',
    isAskedByRule: said(`${structured}enableWhenExpression`).length > 0,
    options: optionsOf(item.answerOption),
    valueSet: text(item.answerValueSet),
    minLength: whole(own('minLength')), maxLength: whole(item.maxLength),
    minOccurs: whole(own('questionnaire-minOccurs')), maxOccurs: whole(own('questionnaire-maxOccurs')),
    minValue: own('minValue') ?? said(`${structured}minQuantity`)[0], maxValue: own('maxValue') ?? said(`${structured}maxQuantity`)[0],
    decimalPlaces: whole(own('maxDecimalPlaces')),
    pattern: text(own('regex')),
    units: said(`${core}questionnaire-unitOption`).filter(isJson), unitSet: text(own('questionnaire-unitValueSet')), hasOpenUnits: said(`${structured}unitOpen`).length > 0,
    targets: said(`${core}questionnaire-referenceResource`).filter((each) => typeof each === 'string'),
    mimeTypes: said(`${core}mimeType`).filter((each) => typeof each === 'string'),
    rules: objects(item.extension).filter(({ url }) => url === `${core}questionnaire-constraint`).flatMap(ruleOf),
    items: objects(item.item).flatMap(questionOf),
  }]
}

function optionsOf(list: unknown): Map<string, Option[]> {
  const options = new Map<string, Option[]>()
  for (const each of objects(list)) {
    const value = valueIn(each)
    const option = { value, exclusive: objects(each.extension).some(({ url, valueBoolean }) => url === `${core}questionnaire-optionExclusive` && valueBoolean === true) }
    const name = optionName(value)
    const known = options.get(name)
    if (known) known.push(option)
    else options.set(name, [option])
  }
  return options
}

/** What equal options have in common: the code of a Coding, a text or number itself. */
export function optionName(value: unknown): string {
  if (!isJson(value)) return String(value)
  const said = value.code ?? value.reference ?? (isJson(value.identifier) ? value.identifier.value : undefined) ?? value.display
  return typeof said === 'string' ? said : ''
}

function conditionOf({ question, operator, ...rest }: Json): Condition[] {
  if (typeof question !== 'string' || typeof operator !== 'string') return []
  const key = Object.keys(rest).find((each) => each.startsWith('answer'))
  return [{ question, operator, answer: key === undefined ? undefined : rest[key] }]
}

function ruleOf({ extension }: Json): ItemRule[] {
  const part = (name: string): unknown => objects(extension).filter(({ url }) => url === name).map(valueIn)[0]
  const [expression, human] = [text(part('expression')), text(part('human'))]
  return expression === null ? [] : [{ expression, human: human ?? expression, severity: part('severity') === 'warning' ? 'warning' : 'error' }]
}

/** The `value[x]` of an extension, an answer or an option; undefined where there is none. */
export function valueIn(holder: Json): unknown {
  const key = valueKey(holder)
  return key === null ? undefined : holder[key]
}

export function valueKey(holder: Json): string | null {
  return Object.keys(holder).find((each) => /^value[A-Z]/.test(each)) ?? null
}

function whole(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) ? value : null
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
