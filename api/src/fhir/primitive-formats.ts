/**
 * The format of each primitive type: which JSON kind it takes and what text or number is valid. Each answers null or the
 * sentence that says what is wrong and what to write instead.
 * Source: FHIR R4 2.24 (data types), 2.6.2.1 (JSON of primitives).
 */
import { isDate, isDateTime, isInstant, isTime, lacksZone } from './date-time.ts'
import type { Sentence } from './outcome.ts'

export interface PrimitiveFormat {
  json: 'string' | 'number' | 'boolean'
  /** `digits` is the number as it was sent, when JavaScript would write it differently. */
  check(value: never, digits: string | undefined): Sentence | null
}

/** Longest string in characters; the definitions say 1 MB. */
const longest = 1_048_576
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/

const text: PrimitiveFormat = { json: 'string', check: checkText }
const uri = pattern(/^\S+$/u, '网址或 URI，不能含空格', 'a URI without spaces')

export const primitiveFormats: ReadonlyMap<string, PrimitiveFormat> = new Map<string, PrimitiveFormat>([
  ['string', text],
  ['markdown', text],
  // Narrative.ts judges xhtml; here it is only a string.
  ['xhtml', { json: 'string', check: () => null }],
  ['code', pattern(/^[^\s]+(?: [^\s]+)*$/u, '代码，首尾不能有空格，中间不能有连续空格', 'a code without leading, trailing or double spaces')],
  ['id', pattern(/^[A-Za-z0-9\-.]{1,64}$/, '1 到 64 个字母、数字、“-”或“.”', '1 to 64 letters, digits, "-" or "."')],
  ['uri', uri],
  ['url', uri],
  ['canonical', uri],
  ['oid', pattern(/^urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+$/, '形如 urn:oid:1.2.3 的 OID', 'an OID such as urn:oid:1.2.3')],
  ['uuid', pattern(/^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, '形如 urn:uuid:… 的小写 UUID', 'a UUID in lower case such as urn:uuid:…')],
  ['base64Binary', { json: 'string', check: checkBase64 }],
  ['boolean', { json: 'boolean', check: () => null }],
  ['decimal', { json: 'number', check: checkDecimal }],
  ['integer', whole(-2_147_483_648)],
  ['unsignedInt', whole(0)],
  ['positiveInt', whole(1)],
  ['date', { json: 'string', check: checkDate }],
  ['dateTime', { json: 'string', check: checkDateTime }],
  ['instant', { json: 'string', check: checkInstant }],
  ['time', { json: 'string', check: checkTime }],
])

function checkText(value: string): Sentence | null {
  if (value.length > longest) return { zh: '文字太长，最多 1,048,576 个字符。', en: 'The text is too long: at most 1,048,576 characters.' }
  if (controls.test(value)) return { zh: '文字含有不允许的控制字符，请删除。', en: 'The text holds control characters that are not allowed. Remove them.' }
  return null
}

function pattern(expression: RegExp, zh: string, en: string): PrimitiveFormat {
  return {
    json: 'string',
    check: (value: string) => (expression.test(value) && !controls.test(value) ? null : { zh: `“${shown(value)}”格式不对，应为${zh}。`, en: `"${shown(value)}" is not ${en}.` }),
  }
}

function whole(least: number): PrimitiveFormat {
  return {
    json: 'number',
    check: (value: number, digits) => {
      if (Number.isInteger(value) && value >= least && value <= 2_147_483_647 && (digits === undefined || /^-?\d+$/.test(digits))) return null
      return { zh: `${digits ?? value} 不对，应为 ${least} 到 2147483647 之间的整数。`, en: `${digits ?? value} is not a whole number from ${least} to 2147483647.` }
    },
  }
}

function checkDecimal(value: number): Sentence | null {
  return Number.isFinite(value) ? null : { zh: '数字太大。', en: 'The number is too large.' }
}

function checkBase64(value: string): Sentence | null {
  const characters = value.replace(/\s+/g, '')
  if (characters.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(characters)) return null
  return { zh: '内容不是有效的 Base64 编码。', en: 'The content is not valid Base64.' }
}

function checkDate(value: string): Sentence | null {
  if (isDate(value)) return null
  return {
    zh: `“${shown(value)}”不是有效日期，请写成 2026-11-23、2026-11 或 2026。`,
    en: `"${shown(value)}" is not a date of the calendar. Write it like 2026-11-23, 2026-11 or 2026.`,
  }
}

function checkDateTime(value: string): Sentence | null {
  if (isDateTime(value)) return null
  if (lacksZone(value)) {
    return { zh: `“${shown(value)}”有时刻但没有时区，请在末尾加上 +08:00。`, en: `"${shown(value)}" has a time but no zone. Add one, such as +08:00.` }
  }
  return {
    zh: `“${shown(value)}”不是有效的日期时间，请写成 2026-11-23 或 2026-11-23T08:30:00+08:00。`,
    en: `"${shown(value)}" is not a date or time of the calendar. Write it like 2026-11-23 or 2026-11-23T08:30:00+08:00.`,
  }
}

function checkInstant(value: string): Sentence | null {
  if (isInstant(value)) return null
  return {
    zh: `“${shown(value)}”不是有效时刻，请写到秒并带时区，如 2026-11-23T08:30:00+08:00。`,
    en: `"${shown(value)}" is not an instant. Write it to the second with a zone, like 2026-11-23T08:30:00+08:00.`,
  }
}

function checkTime(value: string): Sentence | null {
  return isTime(value) ? null : { zh: `“${shown(value)}”不是有效时间，请写成 08:30:00。`, en: `"${shown(value)}" is not a time. Write it like 08:30:00.` }
}

/** Enough of a value to recognise it by. */
function shown(value: string): string {
  return value.length > 60 ? `${value.slice(0, 60)}…` : value
}
