import fc from 'fast-check'
import { TrieRouter } from 'hono/router/trie-router'
import { expect, test } from 'vitest'
import { RememberingRouter } from './remembering-router.ts'

const routes = [
  ['ALL', '*'], ['ALL', '/fhir/*'], ['GET', '/fhir/metadata'], ['GET', '/fhir/:operation{\\$[^/]+}'], ['POST', '/fhir/:type/:id/:operation{\\$[^/]+}'], ['GET', '/fhir/:type/_history'], ['GET', '/fhir/:type'], ['POST', '/fhir/:type'],
  ['GET', '/fhir/:type/:id'], ['PUT', '/fhir/:type/:id'], ['GET', '/fhir/:compartment{[A-Z][A-Za-z]+}/:id/:member{(?:[A-Z][A-Za-z]+|\\*)}'], ['GET', '/fhir/:type/:id/_history/:version'], ['GET', '/files/*'],
] as const

test('finds what the tree finds, with the ids of the path, whether it is asked for the first or the tenth time', () => {
  const [remembering, plain] = [new RememberingRouter<string>(), new TrieRouter<string>()]
  for (const [method, path] of routes) for (const each of [remembering, plain]) each.add(method, path, `${method} ${path}`)
  const segment = fc.oneof(
    fc.constantFrom('fhir', 'Patient', 'Observation', '_history', '_search', 'metadata', '$everything', '*', 'files', 'a', '', '00000000-0000-7000-8000-000000000000'), fc.uuid(), fc.uuid().map((id) => id.toUpperCase()), fc.uuid().map((id) => `${id}x`), fc.string({ maxLength: 8 }),
  )
  const path = fc.oneof(fc.array(segment, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`), fc.array(segment, { maxLength: 4 }).map((parts) => `/fhir/${parts.join('/')}`))
  fc.assert(fc.property(fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'), path, (method, asked) => {
    for (let time = 0; time < 2; time++) expect(remembering.match(method, asked)).toEqual(plain.match(method, asked))
  }), { numRuns: 3000 })
})

test('a route that is added later counts', () => {
  const router = new RememberingRouter<string>()
  router.add('GET', '/a', 'first')
  router.match('GET', '/b')
  router.add('GET', '/b', 'second')
  expect(router.match('GET', '/b')[0]).toHaveLength(1)
})
