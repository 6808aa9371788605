/**
 * The limit beside each figure: the same work by Hono and postgres.js alone, with no validation, access, index, history or
 * audit. One process like the platform's, as many connections, the same database server.
 *   GET /read/KEY/SHARD   one select of the row the platform reads
 *   POST /create          body parsed, one insert of the document
 *   POST /bundle          body parsed, one insert of all its documents
 */
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import postgres from 'postgres'
import { newResourceId } from '../../api/src/fhir/id.ts'
import { typeCode } from '../../api/src/fhir/resource-types.ts'

const [databaseUrl = '', port = '0', connections = '6'] = process.argv.slice(2)
const sql = postgres(databaseUrl, { max: Number(connections), onnotice: () => {} })
const observationCode = typeCode('Observation')

/** The table of the platform without its indexes but the key, in one piece. */
await sql`create table if not exists bare_resource (like resource including defaults, constraint bare_resource_pkey primary key (id, t, shard))`

interface Document { resourceType: string; id?: string }

const app = new Hono()
  .get('/ready', (c) => c.text('ready'))
  .get('/read/:key/:shard', async (c) => {
    const rows = await sql<{ content: string; version: number }[]>`
      select r.content, r.version, r.last_updated, r.pid from resource r
      where r.id = ${c.req.param('key')} and r.t = ${sql.unsafe(String(observationCode))} and r.shard = ${Number(c.req.param('shard'))}`
    const row = rows[0]
    if (!row) return c.notFound()
    return c.body(row.content, 200, { 'Content-Type': 'application/fhir+json; charset=utf-8', ETag: `W/"${row.version}"` })
  })
  .post('/create', async (c) => {
    const document = await c.req.json<Document>()
    const id = newResourceId(0)
    const content = JSON.stringify({ ...document, id })
    await sql`insert into bare_resource (shard, t, id, version, last_updated, keys, content)
      values (0, ${observationCode}, ${id}, 1, ${new Date()}, '{}', ${content})`
    return c.body(content, 201, { 'Content-Type': 'application/fhir+json; charset=utf-8' })
  })
  .post('/bundle', async (c) => {
    const { entry } = await c.req.json<{ entry: { resource: Document }[] }>()
    const ids = entry.map(() => newResourceId(0))
    const contents = entry.map(({ resource }, index) => JSON.stringify({ ...resource, id: ids[index] }))
    const now = new Date()
    await sql`insert into bare_resource (shard, t, id, version, last_updated, keys, content)
      select 0, ${observationCode}::smallint, id, 1, ${now}::timestamptz, '{}', content from unnest(${ids}::uuid[], ${contents}::text[]) as document (id, content)`
    return c.json({ resourceType: 'Bundle', type: 'transaction-response', entry: ids.map((id) => ({ response: { status: '201 Created', location: id } })) })
  })

serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' })
