/** docs/security.md promises only what a test holds: every test it names is there. */
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url).pathname

test('every test that the security tables name exists', () => {
  const tests = new Set(globSync('{api,web,.ci,e2e}/**/*.test.ts', { cwd: root, exclude: (name) => name === 'node_modules' }).map((file) => basename(file, '.test.ts')))
  const rows = readFileSync(`${root}docs/security.md`, 'utf8').split('\n').filter((line) => /^\| (V\d|8\.1)/.test(line))
  const named = rows.flatMap((row) => [...(row.split(' | ').at(2) ?? '').matchAll(/`([\w*/-]+)`/g)].map((match) => match[1] ?? ''))
  expect(named.length).toBeGreaterThan(30)
  expect(named.filter((name) => !name.includes('*') && !tests.has(name))).toEqual([])
})
