/**
 * Whether the `div` of a narrative is the well-formed, harmless XHTML that FHIR allows: a div of the XHTML namespace around
 * basic formatting, no scripts, forms, frames, objects or event attributes. The answer names the first fault.
 * Source: FHIR R4 2.4 (txt-1, txt-2).
 */
import type { Sentence } from './outcome.ts'

const allowed = new Set([
  'a', 'abbr', 'acronym', 'address', 'b', 'bdo', 'big', 'blockquote', 'br', 'caption', 'cite', 'code', 'col', 'colgroup', 'dd', 'del', 'dfn',
  'div', 'dl', 'dt', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'i', 'img', 'ins', 'kbd', 'li', 'map', 'area', 'ol', 'p', 'pre', 'q', 's',
  'samp', 'small', 'span', 'strike', 'strong', 'sub', 'sup', 'table', 'tbody', 'td', 'tfoot', 'th', 'thead', 'tr', 'tt', 'u', 'ul', 'var',
])
const token = /<!--[^]*?-->|<(\/?)([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|<|&(?:#\d+;|#x[\dA-Fa-f]+;|(?:lt|gt|amp|quot|apos);|[A-Za-z]\w*;)?/g
/** What XML itself knows; HTML's own names, `&nbsp;` for one, it does not. Source: FHIR R4 § narrative.html. */
const character = /^&(?:#\d+|#x[\dA-Fa-f]+|lt|gt|amp|quot|apos);$/
const attribute = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

export function narrativeFault(div: string): Sentence | null {
  const text = div.trim()
  if (!/^<div\s[^>]*xmlns\s*=\s*["']http:\/\/www\.w3\.org\/1999\/xhtml["']/.test(text)) {
    return { zh: '叙述内容须以 <div xmlns="http://www.w3.org/1999/xhtml"> 开头。', en: 'The narrative must begin with <div xmlns="http://www.w3.org/1999/xhtml">.' }
  }
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text)) return malformed
  const open: string[] = []
  let closedAt = -1
  for (const match of text.matchAll(token)) {
    const [whole, slash, name, attributes, empty] = match
    if (whole.startsWith('<!--') || character.test(whole)) continue
    if (/^&\w/.test(whole)) return { zh: `叙述内容不能使用 ${whole}，请直接写这个字符。`, en: `The narrative may not use ${whole}, which XML does not know. Write the character itself.` }
    if (name === undefined || closedAt >= 0) return malformed
    if (!allowed.has(name)) return { zh: `叙述内容不允许使用 <${name}>，请删除。`, en: `The narrative may not use <${name}>. Remove it.` }
    const fault = attributeFault(attributes ?? '')
    if (fault) return fault
    if (slash) {
      if (open.pop() !== name) return malformed
      if (!open.length) closedAt = match.index + whole.length
    } else if (!empty) open.push(name)
  }
  if (open.length || closedAt !== text.length) return malformed
  return hasContent(text) ? null : { zh: '叙述内容是空的，请填写或删除 text。', en: 'The narrative is empty. Fill it in or leave out text.' }
}

const malformed: Sentence = { zh: '叙述内容不是格式良好的 XHTML，请检查标签是否成对。', en: 'The narrative is not well-formed XHTML. Check that every tag is closed.' }

function attributeFault(attributes: string): Sentence | null {
  for (const [, name = '', double, single] of attributes.matchAll(attribute)) {
    const value = (double ?? single ?? '').replace(/&#x?[\dA-Fa-f]+;|\s/g, '').toLowerCase()
    if (/^on/i.test(name) || /^(?:javascript|vbscript|data:text)/.test(value)) {
      return { zh: `叙述内容不允许使用脚本（${name}），请删除。`, en: `The narrative may not hold scripts (${name}). Remove it.` }
    }
  }
  return null
}

function hasContent(text: string): boolean {
  return /<img\s/.test(text) || text.replace(/<!--[^]*?-->|<[^>]*>/g, '').trim() !== ''
}
