/** What the terminology service says when it cannot answer, in both languages. Each function makes one error or one sentence. */
import { fail, type OutcomeError, type Sentence } from '../fhir/outcome.ts'
import type { DefinitionType } from './shapes.ts'

/** Addresses and codes come from the caller: no more of them goes into a sentence than a person reads. */
const shown = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text)

const typeNames: Readonly<Record<DefinitionType, Sentence>> = {
  CodeSystem: { zh: '代码系统', en: 'code system' },
  ValueSet: { zh: '值集', en: 'value set' },
  ConceptMap: { zh: '概念映射', en: 'concept map' },
}

export function definitionUnknown(type: DefinitionType, name: string, expression: string | null = null): OutcomeError {
  const { zh, en } = typeNames[type]
  return fail('not-found', { zh: `没有${zh} ${shown(name)}。`, en: `There is no ${en} ${shown(name)} here.` }, expression)
}

export function codeUnknown(system: string, code: string): OutcomeError {
  return fail('not-found', unknownCodeText(system, code))
}

export function unknownCodeText(system: string, code: string): Sentence {
  return { zh: `代码系统 ${shown(system)} 中没有代码“${shown(code)}”。`, en: `The code system ${shown(system)} has no code "${shown(code)}".` }
}

/** Of a code system in a value set. */
export function otherVersion(system: string, used: string, wanted: string): OutcomeError {
  return fail('value-invalid', {
    zh: `值集使用代码系统 ${shown(system)} 的版本 ${shown(used)}，与要求的版本 ${shown(wanted)} 不符。`, en: `The value set uses version ${shown(used)} of the code system ${shown(system)}, not ${shown(wanted)} as asked for.`,
  })
}

export function notInSetText(set: string | null, code: string): Sentence {
  const [zh, en] = set === null ? ['所给的值集', 'the value set given'] : [`值集 ${shown(set)} `, `the value set ${shown(set)}`]
  return { zh: `${zh}中没有代码“${shown(code)}”。`, en: `The code "${shown(code)}" is not in ${en}.` }
}

export function wrongDisplayText(code: string, given: string, right: string): Sentence {
  return {
    zh: `代码“${shown(code)}”的名称不是“${shown(given)}”，应为“${shown(right)}”。`,
    en: `The display of the code "${shown(code)}" is not "${shown(given)}"; it is "${shown(right)}".`,
  }
}

export function abstractText(code: string): Sentence {
  return { zh: `代码“${shown(code)}”只是分类标题，不能直接使用。`, en: `The code "${shown(code)}" is abstract: it only groups others and cannot be used here.` }
}

export function noCodingText(): Sentence {
  return { zh: '其中没有任何带代码的编码。', en: 'There is no coding with a code in it.' }
}

/** The code system is named, but its codes are not here. */
export function systemAbsent(url: string, expression: string | null = null): OutcomeError {
  return fail('code-system-absent', {
    zh: `平台没有收录代码系统 ${shown(url)} 的内容，无法列出或判断其中的代码。`,
    en: `The codes of ${shown(url)} are not carried here, so they can neither be listed nor judged.`,
  }, expression)
}

export function endlessSystem(name: string): OutcomeError {
  return fail('too-costly', {
    zh: `这个值集包含 ${name} 的全部代码，数量没有尽头，无法列出。请用 $validate-code 逐个核对，或改用列明代码的值集。`,
    en: `This value set holds all of ${name}, which has no end and cannot be listed. Check single codes with $validate-code, or use a value set that names its codes.`,
  })
}

export function tooManyCodes(total: number): OutcomeError {
  return fail('too-costly', {
    zh: `这个值集有 ${total} 个代码，请用 count 和 offset 分页获取，或用 filter 筛选。`,
    en: `This value set has ${total} codes. Ask for pages with count and offset, or narrow it with filter.`,
  })
}

export function tooMuchWork(): OutcomeError {
  return fail('too-costly', {
    zh: '这个值集过于复杂，无法在一次请求中算出。请减少引用的值集、代码系统或筛选条件。',
    en: 'This value set takes too much work for one request. Use fewer value sets, code systems or filters.',
  })
}

export function cycle(urls: readonly string[]): OutcomeError {
  const path = urls.map(shown).join(' → ')
  return fail('value-invalid', { zh: `值集相互引用成环：${path}。`, en: `Value sets import each other in a circle: ${path}.` }, 'ValueSet.compose.include.valueSet')
}

export function brokenCompose(expression: string, zh: string, en: string): OutcomeError {
  return fail('value-invalid', { zh: `值集定义有误：${zh}`, en: `The value set is not well defined: ${en}` }, expression)
}

export function wrongVersionText(system: string, given: string, right: string): Sentence {
  return {
    zh: `代码系统 ${shown(system)} 的版本是 ${shown(right)}，不是 ${shown(given)}。`,
    en: `The version of ${shown(system)} here is ${shown(right)}, not ${shown(given)}.`,
  }
}

export function otherSystemText(given: string, right: string): Sentence {
  return { zh: `编码属于 ${shown(given)}，不属于 ${shown(right)}。`, en: `The coding is of ${shown(given)}, not of ${shown(right)}.` }
}

export function noTranslationText(code: string): Sentence {
  return { zh: `没有找到代码“${shown(code)}”的对应代码。`, en: `No translation of the code "${shown(code)}" was found.` }
}
