import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import en from './en.ts'
import enBill from './en-bill.ts'
import enLater from './en-later.ts'
import enWork from './en-work.ts'
import zh from './zh.ts'
import zhBill from './zh-bill.ts'
import zhLater from './zh-later.ts'
import zhWork from './zh-work.ts'

type Tree = { [key: string]: string | Tree }

function leaves(tree: Tree, before = ''): Map<string, string> {
  return new Map(Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[before + key, value] as [string, string]] : [...leaves(value, `${before}${key}.`)]))
}

const chinese = new Map([zh, zhBill, zhLater, zhWork].flatMap((each) => [...leaves(each as unknown as Tree)]))
const english = new Map([en, enBill, enLater, enWork].flatMap((each) => [...leaves(each as unknown as Tree)]))
const source = join(import.meta.dirname, '..')

// The portal imports the server as types only, so its lists are read as text.
const server = join(import.meta.dirname, '../../../api/src')
const between = (file: string, from: string, to: string) => readFileSync(join(server, file), 'utf8').split(from)[1]?.split(to)[0] ?? ''
const outcomeCodes = [...between('fhir/outcome.ts', 'export const outcomeCodes = {', '} as const').matchAll(/^\s*'?([a-z-]+)'?: \[/gm)].map((each) => each[1] ?? '')
const roles = [...between('access/principal.ts', 'export const roles = [', '] as const').matchAll(/'([a-z-]+)'/g)].map((each) => each[1] ?? '')

function* files(folder: string): Generator<string> {
  for (const each of readdirSync(folder, { withFileTypes: true })) {
    if (each.isDirectory()) yield* files(join(folder, each.name))
    else if (/\.(vue|ts)$/.test(each.name) && !each.name.endsWith('.test.ts')) yield join(folder, each.name)
  }
}

describe('the sentences of the portal', () => {
  test('have the same keys in both languages', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
  })

  test('are all written, Chinese in Chinese and English without it', () => {
    for (const [key, value] of chinese) expect(value, key).toMatch(/\S/)
    const same = [...chinese].filter(([key, value]) => value === english.get(key) && !/^[\d\s{}/×:.]*$/.test(value)).map(([key]) => key)
    expect(same).toEqual([])
    expect([...english].filter(([, value]) => /[\u3400-\u9fff]/.test(value)).map(([key]) => key)).toEqual([])
  })

  test('stand in one of the files, not in two', () => {
    for (const parts of [[zh, zhBill, zhLater, zhWork], [en, enBill, enLater, enWork]]) {
      const keys = parts.flatMap((part) => [...leaves(part as unknown as Tree).keys()])
      expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([])
    }
  })

  test('use the same placeholders in both languages', () => {
    const holders = (text: string | undefined) => [...(text ?? '').matchAll(/\{(\w+)\}/g)].map((each) => each[1] ?? '').sort((a, b) => a.localeCompare(b))
    for (const [key, value] of chinese) expect(holders(english.get(key)), key).toEqual(holders(value))
  })

  test('cover every outcome code of the server, and the line that is dead', () => {
    expect(outcomeCodes.length).toBeGreaterThan(50)
    for (const code of [...outcomeCodes, 'network']) expect(chinese.has(`outcome.${code}`), code).toBe(true)
  })

  test('cover no outcome code that the server does not have', () => {
    const own = [...chinese.keys()].filter((each) => each.startsWith('outcome.')).map((each) => each.slice(8))
    expect(own.filter((each) => each !== 'network' && !outcomeCodes.includes(each))).toEqual([])
  })

  test('name every role', () => {
    expect(roles.length).toBe(9)
    for (const role of roles) expect(chinese.has(`role.${role}`), role).toBe(true)
  })

  test('hold every key that a page asks for by name', () => {
    for (const file of files(source)) {
      for (const [, key] of readFileSync(file, 'utf8').matchAll(/\bt\('([\w.-]+)'/g)) expect(chinese.has(key ?? ''), `${key} in ${file}`).toBe(true)
    }
  })
})
