/**
 * `/docs`: the description of /api for people, in Chinese and English, as one page without scripts and without anything from elsewhere.
 * Everything on it is text of ours; the template escapes it all the same.
 */
import { html, raw } from 'hono/html'
import type { Language, Sentence } from '../../fhir/outcome.ts'
import { type Endpoint, endpoints, tags } from './endpoints.ts'
import { answerSchema, bodySchema, inLanguage, introductions, openPath, parametersOf, shapes, whoMay } from './openapi.ts'

type Json = Record<string, unknown>
type Markup = ReturnType<typeof html>

const words = {
  title: { zh: '接口说明', en: 'Interfaces' }, fhir: { zh: 'FHIR R4 接口', en: 'The FHIR R4 interface' }, statement: { zh: '能力声明', en: 'CapabilityStatement' }, machine: { zh: 'OpenAPI 3.1（机器可读）', en: 'OpenAPI 3.1, for programs' },
  other: { zh: 'English', en: '中文' }, home: { zh: '返回门户', en: 'Back to the portal' }, who: { zh: '可用者', en: 'For' }, parameters: { zh: '参数', en: 'Parameters' }, body: { zh: '请求内容', en: 'Body' },
  answer: { zh: '应答', en: 'Answer' }, shapes: { zh: '数据结构', en: 'Shapes' }, field: { zh: '字段', en: 'field' }, kind: { zh: '类型', en: 'type' }, meaning: { zh: '含义', en: 'meaning' }, required: { zh: '必填', en: 'required' },
  nothing: { zh: '没有内容', en: 'no body' }, optional: { zh: '可省略', en: 'may be left out' }, contents: { zh: '目录', en: 'Contents' },
} as const satisfies Record<string, Sentence>

const places: Readonly<Record<'path' | 'query' | 'header', Sentence>> = { path: { zh: '地址', en: 'address' }, query: { zh: '查询', en: 'query' }, header: { zh: '请求头', en: 'header' } }

export function docsPage(language: Language): Markup {
  const t = (sentence: Sentence): string => sentence[language]
  const used = (Object.keys(tags) as (keyof typeof tags)[]).filter((tag) => endpoints.some((each) => each.tag === tag))
  return html`<!doctype html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${t(words.title)} · 浦江健康 Pujiang Health</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<header>
<p><a href="/">${t(words.home)}</a> <a href="/docs?lang=${language === 'zh' ? 'en' : 'zh'}" lang="${language === 'zh' ? 'en' : 'zh-CN'}" hreflang="${language === 'zh' ? 'en' : 'zh-CN'}">${t(words.other)}</a></p>
<h1>浦江健康 · Pujiang Health<br><small>${t(words.title)}</small></h1>
<p>${introductions[language]}</p>
<ul class="links">
<li><a href="/fhir/metadata?_pretty=true">${t(words.fhir)}: ${t(words.statement)}</a></li>
<li><a href="/api/openapi.json">${t(words.machine)}</a></li>
</ul>
</header>
<main>
<nav aria-label="${t(words.contents)}"><ul>${used.map((tag) => html`<li><a href="#${tag}">${t(tags[tag])}</a></li>`)}<li><a href="#shapes">${t(words.shapes)}</a></li></ul></nav>
${used.map((tag) => html`<section id="${tag}"><h2>${t(tags[tag])}</h2>${endpoints.filter((each) => each.tag === tag).map((each) => endpointOf(each, language))}</section>`)}
<section id="shapes"><h2>${t(words.shapes)}</h2>${Object.entries(inLanguage(shapes, language)).map(([name, schema]) => shapeOf(name, schema, language))}</section>
</main>
</body>
</html>`
}

function endpointOf(endpoint: Endpoint, language: Language): Markup {
  const { method, path, does, who, body, answer, status = 200 } = endpoint
  const parameters = parametersOf(endpoint)
  const t = (sentence: Sentence): string => sentence[language]
  return html`<details>
<summary><span class="method ${method.toLowerCase()}">${method}</span> <code>${broken(openPath(path))}</code> <span class="does">${t(does)}</span></summary>
<p>${t(words.who)}: ${t(whoMay[who])}</p>
${parameters.length === 0 ? '' : html`<h3>${t(words.parameters)}</h3><dl>${parameters.map((each) => html`<dt><code>${each.name}</code> <small>${t(places[each.place])}${each.required ? html` · ${t(words.required)}` : ''}</small></dt><dd>${t(each.text)}</dd>`)}</dl>`}
${body ? html`<h3>${t(words.body)}</h3>${fieldsOf(inLanguage(bodySchema(body), language), language)}` : ''}
<h3>${t(words.answer)} ${status}</h3><p>${answer === null ? t(words.nothing) : typeOf(inLanguage(answerSchema(answer), language))}</p>
</details>`
}

function shapeOf(name: string, schema: Json, language: Language): Markup {
  return html`<article id="shape-${name}"><h3><code>${name}</code></h3>${sentenceOf(schema)}${fieldsOf(schema, language)}</article>`
}

/** A table of the fields of an object; of anything else its type. */
function fieldsOf(schema: Json, language: Language): Markup {
  const all = (schema.allOf ?? schema.oneOf ?? schema.anyOf) as Json[] | undefined
  if (all) return html`${all.map((each) => fieldsOf(each, language))}`
  const { properties, required = [] } = schema as { properties?: Record<string, Json>; required?: string[] }
  if (!properties) return html`<p>${typeOf(schema)}</p>`
  return html`<dl>${Object.entries(properties).map(([name, each]) => html`<dt><code>${name}</code> <small>${typeOf(each)}${required.includes(name) ? '' : html` · ${words.optional[language]}`}</small></dt>${each.description === undefined ? '' : html`<dd>${withCode(String(each.description))}</dd>`}`)}</dl>`
}

function sentenceOf({ description }: Json): Markup {
  return description === undefined ? html`` : html`<p>${withCode(String(description))}</p>`
}

/** What stands between backquotes is code. */
function withCode(text: string): Markup {
  return html`${text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`
}

/** A type as a reader would write it: `string`, `Named[]`, `'am' | 'pm'`. */
function typeOf(schema: Json): Markup {
  const { $ref, type, items, anyOf, oneOf, allOf, enum: codes, properties, additionalProperties } = schema as {
    $ref?: string; type?: string | string[]; items?: Json; anyOf?: Json[]; oneOf?: Json[]; allOf?: Json[]; enum?: unknown[]; properties?: Record<string, Json>; additionalProperties?: Json
  }
  if ($ref) {
    const name = $ref.split('/').at(-1) ?? ''
    return html`<a href="#shape-${name}">${name}</a>`
  }
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`
  if (codes) return html`<code>${codes.map((each) => JSON.stringify(each)).join(' | ')}</code>`
  const joined = (list: readonly Json[], sign: string): Markup => html`${list.map((each, index) => html`${index === 0 ? '' : sign}${typeOf(each)}`)}`
  const some = anyOf ?? oneOf
  if (some) return joined(some, ' | ')
  if (allOf) return joined(allOf, ' & ')
  if (type === 'array' && items) return html`${typeOf(items)}[]`
  if (properties) return html`{ ${Object.entries(properties).map(([name, each], index) => html`${index === 0 ? '' : ', '}${name}: ${typeOf(each)}`)} }`
  if (additionalProperties && typeof additionalProperties === 'object') return html`{ [name]: ${typeOf(additionalProperties)} }`
  const named = Array.isArray(type) ? type.join(' | ') : type ?? 'any'
  return html`${named}${schema.description && !$ref && type === 'object' ? ` (${String(schema.description)})` : ''}`
}

/** A long address may break behind its slashes. */
function broken(path: string): Markup {
  return html`${path.split('/').map((part, index) => html`${index === 0 ? '' : raw('/<wbr>')}${part}`)}`
}

export const docsStyle = `:root{--bg:#f4f7f8;--surface:#fff;--ink:#17212b;--ink-2:#46535f;--brand:#0b6068;--line:#d3dbe0;--soft:#e0f0f1;color-scheme:light}
@media (prefers-color-scheme:dark){:root{--bg:#0f161c;--surface:#18222b;--ink:#eef3f7;--ink-2:#b3c0cb;--brand:#66c7cf;--line:#34424e;--soft:#17363a;color-scheme:dark}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:1.0625rem/1.6 system-ui,-apple-system,"PingFang SC","HarmonyOS Sans SC","Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei",sans-serif}
header,main{max-width:60rem;margin:0 auto;padding:1rem}
header p:first-child{display:flex;justify-content:space-between;margin:0}
h1{font-size:1.75rem;line-height:1.3;margin:1.5rem 0 1rem}h1 small{font-size:1.1875rem;font-weight:400;color:var(--ink-2)}
h2{font-size:1.375rem;margin:2rem 0 .75rem}h3{font-size:1.0625rem;margin:1rem 0 .25rem}
a{color:var(--brand)}a:focus-visible,summary:focus-visible{outline:3px solid #ffbf47;outline-offset:2px}
nav ul{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;padding:0;margin:0}
nav a{display:block;padding:.5rem .75rem;border:1px solid var(--line);border-radius:.375rem;background:var(--surface);text-decoration:none}
details,article{background:var(--surface);border:1px solid var(--line);border-radius:.75rem;padding:.75rem 1rem;margin:.5rem 0}
summary{cursor:pointer;min-height:1.75rem}summary code{overflow-wrap:anywhere}
.does{display:block;color:var(--ink-2)}
.method{display:inline-block;min-width:4.25rem;text-align:center;font-size:.875rem;font-weight:600;border-radius:.375rem;background:var(--soft);color:var(--brand);padding:0 .5rem}
code{font-family:ui-monospace,"Cascadia Mono",Menlo,Consolas,monospace;font-size:.9375em}
dl{margin:.25rem 0}dt{margin-top:.5rem;overflow-wrap:anywhere}dd{margin:0 0 0 1rem;color:var(--ink-2)}
small{font-size:.875rem;color:var(--ink-2)}small code,p code{overflow-wrap:anywhere}
p{margin:.5rem 0}article{overflow-wrap:anywhere}
`
