/**
 * /fhir/_export: a system follows its Bulk Data exports, fetches their files and forgets them. Files go out as a stream, a chunk at a time, at the
 * pace of the reader; one that goes away ends it. Source: HL7 Bulk Data Access IG 2.0; HTTP asynchronous request pattern of FHIR R4.
 */
import { type Context, Hono } from 'hono'
import { fail, operationOutcome, OutcomeError } from '../fhir/outcome.ts'
import { exportFile, exportState, forgetExport } from '../records/export/export-files.ts'
import type { Services } from '../services.ts'
import type { AppEnv } from './auth.ts'
import { assertJsonAccepted, fhirJson } from './reply.ts'

const retrySeconds = '2'
const guarded = { 'Cache-Control': 'no-store, private', Vary: 'Accept, Authorization, Cookie' }

export function exportRoutes({ db }: Pick<Services, 'db'>): Hono<AppEnv> {
  const idOf = (c: Context<AppEnv>) => c.req.param('id') ?? ''
  return new Hono<AppEnv>()
    .get('/:id', async (c) => {
      assertJsonAccepted(c)
      const found = await exportState(db, c.get('ctx'), idOf(c))
      if (found.manifest !== null) return c.body(JSON.stringify(found.manifest), 200, { ...guarded, 'Content-Type': 'application/json', Expires: new Date(found.expiresAt).toUTCString() })
      if (found.state === 'failed') {
        return c.body(JSON.stringify(operationOutcome(found.issues, c.get('ctx').language)), statusOf(found.issues) as 500, { ...guarded, 'Content-Type': fhirJson })
      }
      return c.body(null, 202, { ...guarded, 'X-Progress': found.progress, 'Retry-After': retrySeconds })
    })
    .delete('/:id', async (c) => {
      await forgetExport(db, c.get('ctx'), idOf(c))
      const text = c.get('ctx').language === 'zh' ? '导出已取消，文件已删除。' : 'The export was cancelled and its files were deleted.'
      return c.body(JSON.stringify({ resourceType: 'OperationOutcome', issue: [{ severity: 'information', code: 'informational', diagnostics: text }] }), 202, { ...guarded, 'Content-Type': fhirJson })
    })
    .get('/:id/:file', async (c) => {
      const chunks = await exportFile(db, c.get('ctx'), idOf(c), c.req.param('file') ?? '')
      return c.body(streamOf(chunks), 200, { ...guarded, 'Content-Type': 'application/fhir+ndjson' })
    })
    .all('*', (c) => {
      const { issues } = fail('method-not-allowed', { zh: '这个地址只接受 GET 和 DELETE。', en: 'This address takes GET and DELETE only.' })
      throw new OutcomeError(issues, { headers: { Allow: c.req.path.split('/').length > 4 ? 'GET, HEAD' : 'GET, HEAD, DELETE' } })
    })
}

/** Reads a chunk when the one before has gone out. */
function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await source.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    async cancel() { await source.return?.() },
  }, { highWaterMark: 0 })
}

/** The status of what went wrong, as a synchronous answer would have had it. */
function statusOf(issues: ConstructorParameters<typeof OutcomeError>[0]): number {
  return new OutcomeError(issues).status
}
