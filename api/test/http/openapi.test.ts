/** `/api/openapi.json` and `/docs` say what the router does: each of its routes, with its methods, and nothing else. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { endpoints, shapeNames } from '../../src/http/openapi/endpoints.ts'
import { openPath, shapes } from '../../src/http/openapi/openapi.ts'
import { system, testPlatform } from '../support/platform.ts'

const { request, app } = await testPlatform()
const described = (await request('GET', '/api/openapi.json')).json

interface Described { summary: string; parameters?: { name: string; in: string; required: boolean }[]; requestBody?: { content: Record<string, { schema: Record<string, unknown> }> }; security: object[]; responses: Record<string, { content?: Record<string, { schema: object }> }> }
const operations = Object.entries(described.paths as Record<string, Record<string, Described>>).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })))
const routed = [...new Set(app.routes.filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/')).map(({ method, path }) => `${method} ${openPath(path)}`))].sort()

test('each route of the router is described, and each that is described is there', () => {
  expect(routed.length).toBeGreaterThan(40)
  expect(operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`).sort()).toEqual(routed)
})

test('it is OpenAPI 3.1: ids are unique, parts of addresses are parameters, references lead somewhere', () => {
  expect(described).toMatchObject({ openapi: '3.1.0', info: { title: expect.any(String), version: expect.any(String) } })
  const ids = operations.map(({ operation }) => (operation as unknown as { operationId: string }).operationId)
  expect(new Set(ids).size).toBe(ids.length)
  for (const { path, operation } of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    expect([path, operation.parameters?.filter((each) => each.in === 'path').map((each) => each.name) ?? []]).toEqual([path, named])
    expect(Object.keys(operation.responses)).toContain('default')
  }
  const references = [...JSON.stringify(described).matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)]
  expect(references.length).toBeGreaterThan(40)
  for (const [whole, group = '', name = ''] of references) expect([whole, described.components[group]?.[name] !== undefined]).toEqual([whole, true])
})

test('what shapes and fields mean is said in Chinese too, and nothing is said of what is not there', async () => {
  const descriptionsOf = (value: unknown): string[] => {
    if (typeof value !== 'object' || value === null) return []
    return Object.entries(value).flatMap(([key, each]: [string, unknown]) => (key === 'description' && typeof each === 'string' ? [each] : descriptionsOf(each)))
  }
  const comments = JSON.parse(readFileSync(new URL('../../src/http/openapi/comments-zh.json', import.meta.url), 'utf8')) as Record<string, string>
  const english = new Set(descriptionsOf((await request('GET', '/api/openapi.json', { headers: { 'Accept-Language': 'en' } })).json))
  const chinese = descriptionsOf((await request('GET', '/api/openapi.json', { headers: { 'Accept-Language': 'zh' } })).json)
  // Names of FHIR types, addresses and sums are the same in both.
  expect(chinese.filter((each) => !/\p{Script=Han}/u.test(each) && !/^(?:FHIR \w+|OpenAPI 3\.1|GET \S+|totalFen = .+)$/.test(each))).toEqual([])
  expect(Object.keys(comments).filter((each) => !english.has(each))).toEqual([])
  const page = await request('GET', '/docs?lang=zh')
  expect(page.text).toContain(comments['Masked, for a screen that others see.'])
  expect(page.text).not.toContain('Masked, for')
})

test('no shape is named that nobody answers', () => {
  const reached = new Set<string>()
  const walk = (name: string): void => {
    if (reached.has(name)) return
    reached.add(name)
    for (const [, next = ''] of JSON.stringify(shapes[name]).matchAll(/#\/components\/schemas\/(\w+)/g)) walk(next)
  }
  for (const name of shapeNames()) walk(name)
  expect(Object.keys(shapes).filter((name) => !reached.has(name))).toEqual([])
})

describe('what is described is so', () => {
  const withBody = operations.filter(({ operation }) => operation.requestBody)

  test.each(withBody.map(({ path, method, operation }) => [`${method} ${path}`, path, method, operation] as const))('the body of %s is checked', async (_, path, method, operation) => {
    const { schema } = operation.requestBody?.content['application/json'] as { schema: { required?: string[]; type?: string; oneOf?: unknown[]; anyOf?: unknown[] } }
    expect(schema.type === 'object' || schema.oneOf !== undefined || schema.anyOf !== undefined).toBe(true)
    const reply = await request(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, '0195d3a2-0000-7000-8000-000000000001'), { as: system, body: '{' })
    expect(reply.status).toBeGreaterThanOrEqual(400)
    expect(reply.status).toBeLessThan(500)
    expect(reply.headers.get('Content-Type')).toContain('application/problem+json')
  })

  test.each(endpoints.filter((each) => each.method === 'GET').map((each) => [each.path, each] as const))('GET %s is closed unless it is for anybody', async (path, { who }) => {
    const { status } = await request('GET', openPath(path).replaceAll(/\{\w+\}/g, '0195d3a2-0000-7000-8000-000000000001'))
    // What is wrong in an address may be said first, and what is closed may be said not to be there.
    if (who === 'anyone') expect([path, status]).not.toEqual([path, expect.toSatisfy((each: number) => each === 401 || each === 403)])
    else expect([path, status]).toEqual([path, expect.toSatisfy((each: number) => each >= 400 && each < 500)])
  })

  test.each([['/api/settings', 'demo'], ['/api/departments', 0]])('%s answers what its schema says', async (path, key) => {
    const schema = operations.find((each) => each.path === path)?.operation.responses[200]?.content?.['application/json']?.schema
    const reply = await request('GET', path)
    expect([reply.status, typeof key === 'number' ? Array.isArray(reply.json) : key in reply.json, schema !== undefined]).toEqual([200, true, true])
  })
})

describe('the page', () => {
  test.each(['zh', 'en'] as const)('shows every endpoint and shape in %s, without scripts and without other hosts', async (language) => {
    const reply = await request('GET', `/docs?lang=${language}`)
    expect(reply.headers.get('Content-Type')).toContain('text/html')
    expect(reply.text).toContain(`<html lang="${language === 'zh' ? 'zh-CN' : 'en'}">`)
    for (const { does } of endpoints) expect(reply.text).toContain(does[language].replaceAll("'", '&#39;'))
    for (const name of Object.keys(shapes)) expect(reply.text).toContain(`id="shape-${name}"`)
    expect(reply.text).not.toMatch(/<script|style=|src=|href="http/)
    expect(reply.headers.get('Content-Security-Policy')).toContain("default-src 'self'")
  })

  test('in the reader\'s language, with a style of its own', async () => {
    expect((await request('GET', '/docs', { headers: { 'Accept-Language': 'en' } })).text).toContain('<html lang="en">')
    expect((await request('GET', '/docs')).text).toContain('<html lang="zh-CN">')
    expect((await request('GET', '/docs/style.css')).headers.get('Content-Type')).toContain('text/css')
  })
})
