import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

const elements = ['name', 'gender', 'birthDate', 'telecom', 'maritalStatus']

test.each([
  ['nmae', 'name'], ['Name', 'name'], ['birthdate', 'birthDate'], ['birtDate', 'birthDate'], ['martialStatus', 'maritalStatus'], ['gendre', 'gender'],
  ['colour', null], ['x', null], ['', null],
])('%s → %s', (word, expected) => { expect(nearest(word, elements)).toBe(expected) })
