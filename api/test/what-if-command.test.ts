/** `npm run what-if`: the command as a person at a terminal meets it, beside a centre with claims. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { policies } from '../src/insurer/policies.ts'
import { policyFileOf } from '../src/insurer/policy-file.ts'
import { testCentre } from './support/centre.ts'
import { e02, testClaim } from './support/claim.ts'

const centre = await testCentre()
const folder = mkdtempSync(join(tmpdir(), 'what-if-'))
afterAll(() => { rmSync(folder, { recursive: true }) })

const command = fileURLToPath(new URL('../src/what-if-policy.ts', import.meta.url))
const module = fileURLToPath(new URL('../src/insurer/policies/310000-310-2025-07.ts', import.meta.url))

function run(...args: string[]): { status: number | null; lines: string[]; error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    encoding: 'utf8', env: { ...process.env, DATABASE_URL: centre.databaseUrl, INSURER_310000_DATABASE_URL: centre.databaseUrl, INSURER_320500_DATABASE_URL: centre.databaseUrl },
  })
  return { status, lines: stdout.split('\n'), error: stderr.trim() }
}

test('a new policy over the claims of a year, as module and as file; what it is asked wrongly', async () => {
  await centre.enrol({ psnNo: 'W1', accountPriorFen: 0n })
  for (const day of ['2026-10-01', '2026-11-01']) expect((await centre.request('POST', '/fhir/Claim/$submit', testClaim({ psnNo: 'W1', day }, e02))).status).toBe(200)
  const days = ['--from', '2026-01-01', '--until', '2026-11-30']

  const same = run('--policy', module, ...days)
  expect(same).toMatchObject({ status: 0, error: '' })
  expect(same.lines[0]).toBe('310000-310-2025-07: 2 claims of 1 people, 0 change')

  const draft = policyFileOf(policies.find((each) => each.id === '310000-310-2025-07') as (typeof policies)[number]) as { id: string; categories: Record<string, { ratio: [object, number][] }> }
  draft.id = '310000-310-2027-07'
  for (const band of draft.categories.outpatient?.ratio ?? []) band[1] -= 1000
  const file = join(folder, 'new.json')
  writeFileSync(file, JSON.stringify(draft))
  const less = run('--policy', file, ...days)
  expect(less.lines[0]).toMatch(/^310000-310-2027-07: 2 claims of 1 people, [12] change$/)
  const [was, becomes, difference] = (less.lines.find((each) => each.startsWith('pool'))?.trim().split(/\s+/).slice(1) ?? []).map(Number) as [number, number, number]
  expect(becomes).toBeLessThan(was)
  expect(difference).toBeCloseTo(becomes - was)
  expect(await centre.db.selectFrom('claim').select('policy').distinct().execute()).toEqual([{ policy: '310000-310-2025-07' }])

  writeFileSync(join(folder, 'broken.json'), '{"id":')
  writeFileSync(join(folder, 'empty.ts'), 'export const nothing = null\n')
  for (const [args, sentence] of [
    [['--policy', join(folder, 'broken.json'), ...days], 'is not JSON'], [['--policy', join(folder, 'none.json'), ...days], 'There is no file'], [['--policy', join(folder, 'empty.ts'), ...days], 'has no policy'],
    [['--policy', module, '--from', '2026', '--until', '2026-11-30'], '--from must be a day'], [['--policy', module, ...days, '--region', '1'], '--region is one of'], [days, '--policy FILE is missing'],
  ] as const) expect(run(...args)).toMatchObject({ status: 1, error: expect.stringContaining(sentence) as string })
}, 60_000)
