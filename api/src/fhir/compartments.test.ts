/** Every parameter that a compartment names is a reference of its type that may point to what gives the compartment its name. */
import { describe, expect, test } from 'vitest'
import { compartmentParameters } from './compartments.ts'
import { loadModel } from './model.ts'

const model = loadModel()

describe.each([['Encounter', 24], ['Practitioner', 58], ['RelatedPerson', 31], ['Device', 32]] as const)('%s', (compartment, types) => {
  test('has the types of R4, each by references to it', () => {
    const table = compartmentParameters(compartment)
    expect(table.size).toBe(types)
    const wrong = [...table].flatMap(([type, codes]) => codes.filter((code) => model.searchParameters(type).get(code)?.type !== 'reference').map((code) => `${type}.${code}`))
    expect(wrong).toEqual([])
  })
})
