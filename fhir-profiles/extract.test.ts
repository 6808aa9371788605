/** The committed extracts are what the script makes of the installed definitions. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { droppedElements, replacedElements } from './corrections.ts'
import { extracts } from './extract.ts'
import type { StructureRow } from './extracts.ts'

const made = extracts()

test.each(Object.keys(made))('%s is current', (name) => {
  const committed = gunzipSync(readFileSync(join(import.meta.dirname, 'r4', `${name}.json.gz`))).toString()
  // A flag, not the texts: a difference would print a megabyte.
  expect(committed === JSON.stringify(made[name])).toBe(true)
})

test('every correction took effect', () => {
  const structures = made.structures as Record<string, StructureRow>
  const paths = new Set(Object.entries(structures).flatMap(([type, row]) => row.elements.map((element) => `${type}.${element.path}`)))
  expect(droppedElements.filter((path) => paths.has(path))).toEqual([])
  expect(Object.keys(replacedElements).filter((path) => !paths.has(path))).toEqual([])
})
