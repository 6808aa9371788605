/**
 * The OpenAPI 3.1 description of /api: paths and methods from the router, what they mean from `endpoints`, bodies from the schemas that the routes check by, answers from
 * the shapes (shapes.json, written from the TypeScript interfaces by `npm run docs`).
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Language, Sentence } from '../../fhir/outcome.ts'
import { type Endpoint, endpoints, tags } from './endpoints.ts'

type Json = Record<string, unknown>

export const shapes = JSON.parse(readFileSync(new URL('shapes.json', import.meta.url), 'utf8')) as Readonly<Record<string, Json>>

/** What the comments of shapes and schemas say, in Chinese; they are written in English where the shapes are. A new one needs its line here. */
const commentsZh = JSON.parse(readFileSync(new URL('comments-zh.json', import.meta.url), 'utf8')) as Readonly<Record<string, string>>

/** A schema with its descriptions in a language. */
export function inLanguage<T>(schema: T, language: Language): T {
  if (language === 'en' || typeof schema !== 'object' || schema === null) return schema
  if (Array.isArray(schema)) return schema.map((each: unknown) => inLanguage(each, language)) as T
  return Object.fromEntries(Object.entries(schema).map(([key, each]: [string, unknown]) => [key, key === 'description' && typeof each === 'string' ? commentsZh[each] ?? each : inLanguage(each, language)])) as T
}

export const whoMay: Readonly<Record<Endpoint['who'], Sentence>> = {
  'anyone': { zh: '任何人', en: 'anybody' }, 'person': { zh: '已登录的人', en: 'whoever is signed in' }, 'citizen': { zh: '市民或其代办人', en: 'a citizen, or who acts for them' }, 'clinician': { zh: '医务人员', en: 'clinicians' },
  'scheduler': { zh: '医院挂号处', en: 'the registration office of a hospital' }, 'desk': { zh: '医院窗口', en: 'the desk of a hospital' }, 'public-health': { zh: '公共卫生人员', en: 'public-health officers' }, 'admin-system': { zh: '系统管理员', en: 'the system administrator' }, 'insurer': { zh: '医保经办人员', en: 'officers of the insurance centre' }, 'admin-audit': { zh: '审计管理员', en: 'the auditing administrator' },
}

/** Parts of addresses. */
const parts: Readonly<Record<string, Sentence>> = {
  encounter: { zh: '就诊编号', en: 'id of the Encounter' }, appointment: { zh: '预约编号', en: 'id of the Appointment' }, schedule: { zh: '门诊单元编号', en: 'id of the Schedule' }, organization: { zh: '医院编号', en: 'id of the Organization' }, day: { zh: '日期，或 today', en: 'a day, or `today`' },
  month: { zh: '月份，如 2026-11', en: 'a month, such as 2026-11' }, id: { zh: '编号', en: 'its id' }, address: { zh: '医保中心的地址', en: 'address at the centre' },
}

/** `/api/booking/queue/:schedule{[0-9a-f-]{36}}` → `/api/booking/queue/{schedule}`; a star is an address of somebody else. */
export function openPath(path: string): string {
  return path.replace(/:(\w+)(?:\{(?:[^{}]|\{[^}]*\})*\})?/g, '{$1}').replace('*', '{address}')
}

export function openApi(publicUrl: string, language: Language): Json {
  const paths: Record<string, Json> = {}
  for (const endpoint of endpoints) (paths[openPath(endpoint.path)] ??= {})[endpoint.method.toLowerCase()] = operationOf(endpoint, language)
  return inLanguage<Json>({
    openapi: '3.1.0',
    info: { title: language === 'zh' ? '浦江健康 · FHIR 之外的接口' : 'Pujiang Health · endpoints beside FHIR', version: '1.0.0', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' }, description: introductions[language] },
    servers: [{ url: publicUrl }],
    tags: Object.entries(tags).map(([name, text]) => ({ name, description: text[language] })),
    paths,
    components: {
      schemas: { ...shapes, Problem: problem },
      securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: 'pujiang_session' }, bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      responses: { Problem: { description: language === 'zh' ? '出错：RFC 9457 问题说明' : 'A fault: problem details of RFC 9457', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } } },
    },
  }, language)
}

export const introductions: Readonly<Record<Language, string>> = {
  zh: '健康档案、预约和结算都在 /fhir（FHIR R4）。这里只有 FHIR 没有词汇表达的少数 JSON 接口，供门户使用。金额是整数“分”，日期是上海时间的 YYYY-MM-DD，时刻带时区。出错时返回 RFC 9457 问题说明，句子的语言由 Accept-Language 决定。',
  en: 'Records, booking and settlement are at /fhir (FHIR R4). Here are the few JSON endpoints that FHIR has no word for, made for the portal. Money is integer fen, days are YYYY-MM-DD in Asia/Shanghai, instants carry an offset. Faults are problem details of RFC 9457, their sentences in the language of Accept-Language.',
}

const problem = {
  type: 'object', required: ['type', 'title', 'status', 'code', 'issues'],
  properties: {
    type: { type: 'string' }, title: { type: 'string' }, status: { type: 'integer' }, code: { type: 'string', description: 'Our stable code, the same as in the OperationOutcomes of /fhir.' },
    issues: { type: 'array', items: { type: 'object', properties: { code: { type: 'string' }, text: { type: 'string' }, field: { type: ['string', 'null'] } } } },
  },
}

function operationOf(endpoint: Endpoint, language: Language): Json {
  const { method, path, tag, does, who, body, answer, status = 200 } = endpoint
  const content = answer === null ? {} : { content: { 'application/json': { schema: answerSchema(answer) } } }
  return {
    operationId: `${method.toLowerCase()}${openPath(path).replace(/^\/api/, '').replaceAll(/[^A-Za-z0-9]+(\w?)/g, (_, next: string) => next.toUpperCase())}`,
    tags: [tag], summary: does[language], description: `${language === 'zh' ? '可用者：' : 'For '}${whoMay[who][language]}`,
    ...(who === 'anyone' ? { security: [] } : { security: [{ session: [] }, { bearer: [] }] }),
    ...(parametersOf(endpoint).length > 0 ? { parameters: parametersOf(endpoint).map(({ name, place, required, text }) => ({ name, in: place, required, description: text[language], schema: { type: 'string' } })) } : {}),
    ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: bodySchema(body) } } } } : {}),
    responses: { [status]: { description: does[language], ...content }, default: { $ref: '#/components/responses/Problem' } },
  }
}

export interface Parameter { name: string; place: 'path' | 'query' | 'header'; required: boolean; text: Sentence }

export function parametersOf({ path, query = {}, headers = {} }: Endpoint): Parameter[] {
  const ofPath = [...openPath(path).matchAll(/\{(\w+)\}/g)].map(([, name = '']): Parameter => ({ name, place: 'path', required: true, text: parts[name] ?? { zh: name, en: name } }))
  const ofQuery = Object.entries(query).map(([name, text]): Parameter => ({ name: name.replace('!', ''), place: 'query', required: name.endsWith('!'), text }))
  const ofHeader = Object.entries(headers).map(([name, text]): Parameter => ({ name, place: 'header', required: false, text }))
  return [...ofPath, ...ofQuery, ...ofHeader]
}

/** What a client may send: before defaults and transformations. */
export function bodySchema(body: z.ZodType): Json {
  const { $schema: _, ...schema } = z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' })
  return schema as Json
}

export function answerSchema(answer: Exclude<Endpoint['answer'], null>): Json {
  if (typeof answer === 'string') {
    const named = { $ref: `#/components/schemas/${answer.replace(/[[\]?]+$/, '')}` }
    return answer.endsWith('[]') ? { type: 'array', items: named } : answer.endsWith('?') ? { anyOf: [named, { type: 'null' }] } : named
  }
  return Array.isArray(answer) ? { anyOf: (answer as readonly string[]).map(answerSchema) } : answer as Json
}
