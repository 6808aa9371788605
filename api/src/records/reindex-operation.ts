/**
 * `GET /fhir/$reindex-progress`: how far the indexing of what was stored before a change of search parameters is, one `type` part for each type
 * that was ever walked. Numbers of rows, nothing of any record; for systems that may do everything, and for nobody else.
 */
import type { ParametersParameter } from '@medplum/fhirtypes'
import { mayImport } from '../access/may-ask.ts'
import { fail } from '../fhir/outcome.ts'
import { reindexProgress } from './reindex.ts'
import type { Operation } from './store.ts'

export const reindexProgressOperation: Operation = {
  name: '$reindex-progress', level: 'system', types: [], methods: ['GET'], affectsState: false,
  summary: 'How far the indexing of stored resources by changed search parameters is.',
  async run({ db, ctx, store }) {
    if (!mayImport(ctx)) throw fail('forbidden', { zh: '只有获授权的系统可以查看索引进度。', en: 'Only a system with full rights may see how far indexing is.' })
    const parameter = (await reindexProgress(db, store)).map(({ type, state, rowsDone, rowsTotal }): ParametersParameter => ({
      name: 'type',
      part: [{ name: 'resourceType', valueCode: type }, { name: 'state', valueCode: state }, { name: 'rowsDone', valueInteger: rowsDone }, { name: 'rowsTotal', valueInteger: rowsTotal }],
    }))
    return { resource: { resourceType: 'Parameters', ...(parameter.length > 0 ? { parameter } : {}) } }
  },
}
