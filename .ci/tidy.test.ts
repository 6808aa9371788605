import { describe, expect, test } from 'vitest'
import { faultsOf } from './tidy.ts'

interface Case { rule: string; path: string; code: string; fault: RegExp | null }

const refused = (rule: string, path: string, code: string, fault: RegExp): Case => ({ rule, path, code, fault })
const passed = (rule: string, path: string, code: string): Case => ({ rule, path, code, fault: null })

// Each rule with a line it refuses and the nearest line it lets pass.
const cases: readonly Case[] = [
  refused('environment', 'api/src/booking/rules.ts', 'const a = process.env.PORT', /environment/),
  passed('environment', 'api/src/config.ts', 'const a = process.env.PORT'),
  passed('environment', 'api/src/booking/rules.ts', '// process.env is elsewhere\nconst a = "it\'s process.env"'),
  refused('transaction', 'api/src/booking/book.ts', 'await db.transaction().execute(work)', /transactions/),
  passed('transaction', 'api/src/storage/transaction.ts', 'await db.transaction().execute(work)'),
  passed('transaction', 'api/src/booking/book.ts', 'await inTransaction(db, work)'),
  refused('clock', 'api/src/booking/book.ts', 'const now = new Date()', /clock/),
  refused('clock', 'api/src/booking/book.ts', 'const now = new Date', /clock/),
  refused('clock', 'seeds/src/city.ts', 'const now = Date.now()', /clock/),
  refused('clock', 'api/src/booking/book.ts', 'const t = performance.now()', /clock/),
  passed('clock', 'api/src/booking/book.ts', 'const then = new Date(text)'),
  passed('clock', 'api/src/ctx.ts', 'const now = new Date()'),
  refused('random', 'api/src/booking/book.ts', 'const id = randomUUID()', /random/),
  refused('random', 'api/src/booking/book.ts', 'const id = crypto.randomUUID()', /random/),
  refused('random', 'seeds/src/city.ts', 'const x = Math.random()', /random/),
  passed('random', 'api/src/crypto.ts', 'const salt = randomBytes(16)'),
  refused('made old', 'api/src/http/reply.ts', 'held.onclose = (error) => lose(error)', /old objects/),
  refused('made old', 'api/src/http/reply.ts', 'held[name] ??= async function () {}', /old objects/),
  refused('made old', 'api/src/http/reply.ts', 'const answer = { get text() { return print(bytes) } }', /old objects/),
  passed('made old', 'api/src/http/reply.ts', 'const lose = (error) => end(error)\nheld.onclose = lose'),
  passed('made old', 'api/src/http/reply.ts', 'const answer = { text: () => print(bytes) }'),
  passed('made old', 'api/src/http/reply.ts', 'class Answer { get text() { return print(this.bytes) } }'),
  refused('console', 'api/src/main.ts', 'console.log(1)', /logger/),
  passed('console', 'api/src/main.ts', 'process.stdout.write(text)'),
  refused('skipped test', 'api/src/booking/rules.test.ts', `describe.${'only'}(name, () => {})`, /skipped/),
  passed('skipped test', 'api/src/booking/rules.test.ts', 'it.each(rows)(name, () => {})'),
  refused('loose end', 'api/src/main.ts', `// ${'TO'}DO later`, /issue number/),
  passed('loose end', 'api/src/main.ts', `// ${'TO'}DO #12 later`),
  refused('names', 'api/src/booking/utils.ts', 'export const a = 1', /named after/),
  refused('names', 'api/src/common/money.ts', 'export const a = 1', /named after/),
  refused('names', 'api/src/booking/bookSlot.ts', 'export const a = 1', /kebab-case/),
  refused('index', 'api/src/booking/index.ts', 'export * from \'./rules.ts\'', /re-exports/),
  refused('layout', 'api/src/main.ts', 'const a = 1;', /semicolon/),
  refused('layout', 'api/src/main.ts', 'const a = "b"', /single quotes/),
  refused('layout', 'api/src/main.ts', 'const a = 1 ', /end of the line/),
  refused('place', 'api/src/somewhere/thing.ts', 'export const a = 1', /no line for this file/),
  refused('layers', 'api/src/records/search.ts', 'import { a } from \'../http/fhir.ts\'', /records stands below http/),
  refused('layers', 'api/src/booking/book.ts', 'import { a } from \'../settlement/bill.ts\'', /do not know each other/),
  refused('layers', 'api/src/booking/book.ts', 'import type { Bill } from \'../settlement/bill.ts\'', /do not know each other/),
  refused('layers', 'api/src/records/read.ts', 'const a = await import(\'../catalogue/operations.ts\')', /records stands below catalogue/),
  refused('layers', 'api/src/booking/book.ts', 'export { a } from \'../app.ts\'', /booking stands below app/),
  passed('layers', 'api/src/booking/book.ts', 'import type { Bill } from \'../settlement/shapes.ts\''),
  passed('layers', 'api/src/booking/book.ts', 'import { readResource } from \'../records/read-resource.ts\''),
  passed('layers', 'api/src/booking/book.test.ts', 'import { testDatabase } from \'../../test/support/database.ts\''),
  refused('layers', 'api/src/booking/book.ts', 'import { readConfig } from \'../config.ts\'', /config is read by the processes/),
  refused('layers', 'api/src/booking/book.ts', 'import { Hono } from \'hono\'', /only http\/ and app\.ts import hono/),
  passed('layers', 'api/src/http/fhir.ts', 'import { Hono } from \'hono\''),
  refused('portal', 'web/src/components/booking/PlaceList.vue', '<script setup lang="ts">\nimport { get } from \'../../api/http.ts\'\n</script>', /as props/),
  refused('portal', 'web/src/api/http.ts', 'import { book } from \'@pujiang/api/booking/book.ts\'', /types only/),
  passed('portal', 'web/src/api/http.ts', 'import type { Me } from \'@pujiang/api/access/shapes.ts\''),
  refused('portal', 'web/src/components/ui/TextInput.vue', '<script setup lang="ts">\nimport { useForm } from \'../../composables/use-form.ts\'\n</script>', /stands below/),
]

describe('tidy', () => {
  test.each(cases)('$rule: $code in $path', ({ path, code, fault }) => {
    const messages = faultsOf(path, code).map((each) => each.message)
    if (fault === null) expect(messages).toEqual([])
    else expect(messages.join('\n')).toMatch(fault)
  })

  test('names the line of a fault in a component', () => {
    const component = '<template>\n  <p/>\n</template>\n<script setup lang="ts">\nconsole.log(1)\n</script>'
    expect(faultsOf('web/src/App.vue', component)).toMatchObject([{ line: 5 }])
  })
})
