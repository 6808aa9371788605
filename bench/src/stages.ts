/**
 * CPU time of each step of a write, in this process: parsing, validating, extracting the index, printing, and writing a transaction of a
 * hundred (all of `writeResources` but the steps before; the database's own time beside it).
 */
import type { Resource } from '@medplum/fhirtypes'
import { resourceEntries } from '../../api/src/catalogue/resource-types.ts'
import { anonymous } from '../../api/src/access/principal.ts'
import { makeCtx } from '../../api/src/ctx.ts'
import { parseJson } from '../../api/src/fhir/json.ts'
import { loadModel } from '../../api/src/fhir/model.ts'
import { contentOf } from '../../api/src/records/content.ts'
import { indexResource } from '../../api/src/records/index-resource.ts'
import { validateResource } from '../../api/src/records/validate.ts'
import { writeResources } from '../../api/src/records/write-resources.ts'
import { openDb } from '../../api/src/storage/pool.ts'
import { inTransaction } from '../../api/src/storage/transaction.ts'
import { documentOf, type MixedType, mixedTypes, type Stored } from './benchmarks.ts'
import { postgresMicrosOf } from './measure.ts'
import type { Servers } from './servers.ts'

export interface StageOutcome {
  name: string
  /** CPU microseconds a resource; null where there is no /proc. */
  parse: number
  validate: number
  index: number
  print: number
  writeNode: number
  writePostgres: number | null
}

const documents = 200
const rounds = 25
const transactions = 20
const transactionSize = 100

export async function measureStages(servers: Servers, stored: Stored): Promise<StageOutcome[]> {
  const store = { base: 'http://127.0.0.1:8080/fhir', model: loadModel(), entries: resourceEntries }
  const db = openDb(servers.databaseUrl, { max: 1 })
  const ctx = makeCtx({ ...anonymous, kind: 'client', id: 'stages', name: 'Benchmark', scopes: ['system/*.cruds'] })
  const outcomes: StageOutcome[] = []
  for (const type of Object.keys(mixedTypes) as MixedType[]) {
    const texts = Array.from({ length: documents }, (_, n) => JSON.stringify({ id: `stage-${n}`, ...documentOf(type, n, stored.Patient) }))
    const parsed = texts.map((text) => parseJson(text) as Resource)
    const each = (step: (n: number) => unknown): number => {
      for (let n = 0; n < documents * 5; n++) step(n % documents)
      const before = process.cpuUsage()
      for (let n = 0; n < documents * rounds; n++) step(n % documents)
      const { user, system } = process.cpuUsage(before)
      return (user + system) / (documents * rounds)
    }
    const parse = each((n) => parseJson(texts[n] as string))
    const validate = each((n) => {
      if (validateResource(store.model, parsed[n]).length > 0) throw new Error(`A ${type} of the benchmark is not valid.`)
    })
    const index = each((n) => indexResource(store.model, parsed[n] as Resource))
    const print = each((n) => contentOf(parsed[n] as Resource))
    const write = async (): Promise<void> => {
      const writes = Array.from({ length: transactionSize }, (_, n) => ({ method: 'create' as const, type, id: null, resource: parsed[n % documents] as Resource, ifMatch: null }))
      await inTransaction(db, (trx) => writeResources(trx, ctx, store, writes, 'client'))
    }
    for (let n = 0; n < 5; n++) await write()
    const before = { node: process.cpuUsage(), postgres: postgresMicrosOf(servers.postmaster) }
    for (let n = 0; n < transactions; n++) await write()
    const node = process.cpuUsage(before.node)
    const postgres = postgresMicrosOf(servers.postmaster)
    const written = transactions * transactionSize
    outcomes.push({
      name: type, parse, validate, index, print, writeNode: (node.user + node.system) / written - validate - index - print,
      writePostgres: postgres === null || before.postgres === null ? null : (postgres - before.postgres) / written,
    })
  }
  await db.destroy()
  return outcomes
}
