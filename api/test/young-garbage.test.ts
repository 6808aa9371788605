import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { testDatabase } from './support/database.ts'

const { url } = await testDatabase()

test('what statements and transactions brought is gone with the next collection of young objects', async () => {
  const script = fileURLToPath(new URL('support/much-garbage.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-semi-space-size=16', '--trace-gc', '--trace-gc-nvp', script, url], { maxBuffer: 100_000_000 })
  const collections = stdout.split('\n').filter((line) => line.includes(' gc=s '))
  const sum = (name: string) => collections.map((line) => Number(new RegExp(` ${name}=(\\d+)`).exec(line)?.[1] ?? 'NaN')).reduce((all, each) => all + each, 0)
  expect(collections.length).toBeGreaterThan(5)
  expect(sum('allocated')).toBeGreaterThan(50_000_000)
  // 0.09 before docs/decisions/0054-garbage-dies-young.md, 0.01 since.
  expect(sum('promoted') / sum('allocated')).toBeLessThan(0.04)
})
