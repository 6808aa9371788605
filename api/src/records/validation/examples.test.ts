/**
 * The profiles of fhir-profiles/pujiang/profiles with their examples: each valid one passes, each invalid one fails with the
 * issues that examples/issues.json names and no others.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parseJson } from '../../fhir/json.ts'
import { loadModel } from '../../fhir/model.ts'
import { validateResource } from '../validate.ts'

const model = loadModel()
const folder = join(dirname(fileURLToPath(import.meta.resolve('@pujiang/fhir-profiles/package.json'))), 'examples')
const expected = JSON.parse(readFileSync(join(folder, 'issues.json'), 'utf8')) as Record<string, string[]>
const names = readdirSync(folder).filter((name) => name !== 'issues.json').map((name) => name.replace(/\.json$/, ''))

test('every example has its line, and every profile of ours a valid and an invalid one', () => {
  expect(names.toSorted()).toEqual(Object.keys(expected).toSorted())
  const profiles = readdirSync(join(folder, '../pujiang/profiles')).map((name) => name.replace(/\.json$/, ''))
  for (const each of profiles) {
    expect(names).toContain(`${each}.valid`)
    expect(names.some((name) => name.startsWith(`${each}.invalid-`)), each).toBe(true)
  }
})

test.each(names)('%s', (name) => {
  const resource = parseJson(readFileSync(join(folder, `${name}.json`), 'utf8'))
  expect(validateResource(model, resource).map((each) => `${each.code} ${each.expression}`)).toEqual(expected[name])
})
