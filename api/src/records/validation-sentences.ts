/**
 * What validation says, in both languages: what is wrong and, where it is obvious, what to write instead.
 * One maker a rule, so that the rules in validate.ts stay readable and the wording is in one place.
 */
import type { Sentence } from '../fhir/outcome.ts'

const kinds = {
  array: { zh: '数组 […]', en: 'an array […]' },
  object: { zh: '对象 {…}', en: 'an object {…}' },
  string: { zh: '字符串', en: 'a string' },
  number: { zh: '数字', en: 'a number' },
  boolean: { zh: 'true 或 false', en: 'true or false' },
  null: { zh: 'null', en: 'null' },
} as const

export type JsonKind = keyof typeof kinds

export function jsonKind(value: unknown): JsonKind {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value as JsonKind
}

export function unknownElement(name: string, of: string, suggestion: string | null): Sentence {
  return {
    zh: `${of} 没有元素“${name}”${suggestion ? `，是否想写“${suggestion}”？` : '，请删除。'}`,
    en: `${of} has no element "${name}".${suggestion ? ` Did you mean "${suggestion}"?` : ' Remove it.'}`,
  }
}

export function wrongKind(name: string, expected: JsonKind, found: unknown, fix: string | null): Sentence {
  const kind = kinds[jsonKind(found)]
  return {
    zh: `“${name}”应为${kinds[expected].zh}，收到的是${kind.zh}${fix ? `，请写成 ${fix}` : ''}。`,
    en: `"${name}" must be ${kinds[expected].en}, not ${kind.en}.${fix ? ` Write ${fix}.` : ''}`,
  }
}

export function missing(name: string, of: string): Sentence {
  return { zh: `${of} 缺少必填元素“${name}”。`, en: `${of} needs the element "${name}".` }
}

export function tooMany(name: string, max: number): Sentence {
  return { zh: `“${name}”最多 ${max} 项。`, en: `"${name}" may occur at most ${max} times.` }
}

export function severalChoices(names: readonly string[]): Sentence {
  return { zh: `${names.join('、')} 只能填写其中一个。`, en: `Only one of ${names.join(', ')} may be given.` }
}

export function empty(name: string, kind: JsonKind): Sentence {
  const what = {
    zh: { array: '空数组', object: '空对象', string: '空字符串', null: 'null', number: '空值', boolean: '空值' }[kind],
    en: { array: 'an empty array', object: 'an empty object', string: 'an empty string', null: 'null', number: 'empty', boolean: 'empty' }[kind],
  }
  return { zh: `“${name}”是${what.zh}，没有值时请省略该元素。`, en: `"${name}" is ${what.en}. Leave the element out when it has no value.` }
}

export function onlyId(name: string): Sentence {
  return { zh: `“${name}”除 id 外没有内容，请填写或省略。`, en: `"${name}" has nothing but an id. Give it a value or leave it out.` }
}

export function siblingTooLong(name: string): Sentence {
  return { zh: `“_${name}”的项数多于“${name}”，请用 null 对齐两个数组。`, en: `"_${name}" has more items than "${name}". Align the two arrays with null.` }
}

export function unknownCode(code: string, valueSet: string, suggestion: string | null): Sentence {
  return {
    zh: `代码“${code}”不在值集 ${valueSet} 中${suggestion ? `，是否想写“${suggestion}”？` : '。'}`,
    en: `The code "${code}" is not in the value set ${valueSet}.${suggestion ? ` Did you mean "${suggestion}"?` : ''}`,
  }
}

export function notOfSystem(code: string, system: string, suggestion: string | null): Sentence {
  return {
    zh: `代码系统 ${system} 中没有代码“${code}”${suggestion ? `，是否想写“${suggestion}”？` : '。'}`,
    en: `The code system ${system} has no code "${code}".${suggestion ? ` Did you mean "${suggestion}"?` : ''}`,
  }
}

export function noCodeOfSet(valueSet: string): Sentence {
  return { zh: `至少要有一个代码取自值集 ${valueSet}。`, en: `At least one code must be from the value set ${valueSet}.` }
}

export function notReference(text: string, suggestion: string | null): Sentence {
  return {
    zh: `“${text}”不是有效的引用，请写成“类型/编号”，如 ${suggestion ?? 'Patient/123'}。`,
    en: `"${text}" is not a valid reference. Write Type/id, such as ${suggestion ?? 'Patient/123'}.`,
  }
}

export function wrongTarget(found: string, targets: readonly string[]): Sentence {
  return { zh: `这里不能引用 ${found}，只能引用 ${targets.join('、')}。`, en: `This may not refer to a ${found}, only to ${targets.join(', ')}.` }
}

export function typeContradiction(type: string, reference: string): Sentence {
  return { zh: `引用类型“${type}”与“${reference}”不一致。`, en: `The reference's type "${type}" contradicts "${reference}".` }
}

export function otherSize(stated: number, actual: number): Sentence {
  return { zh: `size 为 ${stated}，但 data 有 ${actual} 字节。`, en: `The size is given as ${stated}, but the data have ${actual} bytes.` }
}

/** Of what must be an absolute address. */
export function notAbsolute(uri: string): Sentence {
  const shown = uri.slice(0, 120)
  return { zh: `“${shown}”不是绝对地址，应如 https://example.org/fhir/Patient/1 或 urn:uuid:…。`, en: `"${shown}" is no absolute address. Write one such as https://example.org/fhir/Patient/1 or urn:uuid:….` }
}

export function subsetted(): Sentence {
  return { zh: '此资源带有 SUBSETTED 标签，只是一部分内容（_summary 或 _elements 的结果），写回会丢失其余内容。请先读取完整的资源。', en: 'This resource has the tag SUBSETTED: it is a part of one (what _summary or _elements left), and the rest would be lost. Read the whole resource first.' }
}

export function noFullUrl(): Sentence {
  return { zh: '条目没有 fullUrl，其他条目无法引用它。', en: 'The entry has no fullUrl, so others can not refer to it.' }
}

export function notInDocument(reference: string): Sentence {
  return { zh: `文档中没有“${reference.slice(0, 120)}”，Composition 引用的资源应随文档提供。`, en: `"${reference.slice(0, 120)}" is not in the document. What the Composition refers to should come with it.` }
}

export function fullUrlContradiction(fullUrl: string): Sentence {
  return { zh: `fullUrl“${fullUrl.slice(0, 120)}”与条目中资源的类型或编号不一致。`, en: `The fullUrl "${fullUrl.slice(0, 120)}" contradicts the type or the id of the resource in the entry.` }
}

export function noContained(id: string): Sentence {
  return { zh: `contained 中没有编号为“${id}”的资源。`, en: `There is no contained resource with the id "${id}".` }
}

export function nestedContained(): Sentence {
  return { zh: '被包含的资源不能再包含其他资源。', en: 'A contained resource may not contain others.' }
}

export function noResourceType(): Sentence {
  return { zh: '缺少 resourceType。', en: 'resourceType is missing.' }
}

export function unknownResourceType(name: string, suggestion: string | null): Sentence {
  return {
    zh: `FHIR R4 没有资源类型“${name}”${suggestion ? `，是否想写“${suggestion}”？` : '。'}`,
    en: `FHIR R4 has no resource type "${name}".${suggestion ? ` Did you mean "${suggestion}"?` : ''}`,
  }
}
