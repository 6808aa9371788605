/**
 * The limit beside each figure: the same work by Hono and postgres.js alone, with no validation, access, index or
 * audit. One process like the platform's, as many connections, the same database server.
 *   GET /read/T/KEY/SHARD       one select of the row the platform reads
 *   POST /create/T              body parsed, one insert of the document (a first version has no history yet, as on the platform)
 *   PUT /row/T/KEY/SHARD        body parsed; one statement that moves the old version to the history and writes the new one
 *   GET /row/T/KEY/SHARD        one select of such a row
 *   DELETE /row/T/KEY/SHARD     one statement: the old version and a tombstone to the history, the row gone
 *   POST /bundle                body parsed, one insert of all its documents
 */
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import postgres from 'postgres'
import { newResourceId } from '../../api/src/fhir/id.ts'
import { type ResourceType, typeCode } from '../../api/src/fhir/resource-types.ts'

const [databaseUrl = '', port = '0', connections = '6'] = process.argv.slice(2)
const sql = postgres(databaseUrl, { max: Number(connections), onnotice: () => {} })

/** The tables of the platform without their indexes but the key, in one piece. */
await sql`create table if not exists bare_resource (like resource including defaults, constraint bare_resource_pkey primary key (id, t, shard)) with (fillfactor = 85)`
await sql`create table if not exists bare_history (like resource_history including defaults, constraint bare_history_pkey primary key (id, version, t, shard))`

interface Document { resourceType: string; id?: string }
const json = (version: number) => ({ 'Content-Type': 'application/fhir+json; charset=utf-8', ETag: `W/"${version}"` })
const typeOf = (name: string) => typeCode(name as ResourceType)

const app = new Hono()
  .get('/ready', (c) => c.text('ready'))
  .get('/read/:type/:key/:shard', async (c) => {
    const rows = await sql<{ content: string; version: number }[]>`
      select r.content, r.version, r.last_updated, r.pid from resource r
      where r.id = ${c.req.param('key')} and r.t = ${sql.unsafe(String(typeOf(c.req.param('type'))))} and r.shard = ${Number(c.req.param('shard'))}`
    const row = rows[0]
    return row ? c.body(row.content, 200, json(row.version)) : c.notFound()
  })
  .post('/create/:type', async (c) => {
    const document = await c.req.json<Document>()
    const id = newResourceId(0)
    const content = JSON.stringify({ ...document, id })
    await sql`insert into bare_resource (shard, t, id, version, last_updated, keys, content)
      values (0, ${typeOf(c.req.param('type'))}, ${id}, 1, ${new Date()}, '{}', ${content})`
    return c.body(content, 201, { ...json(1), Location: `/row/${c.req.param('type')}/${id}/0` })
  })
  .get('/row/:type/:key/:shard', async (c) => {
    const rows = await sql<{ content: string; version: number }[]>`select r.content, r.version, r.last_updated, r.pid from bare_resource r
      where r.id = ${c.req.param('key')} and r.t = ${typeOf(c.req.param('type'))} and r.shard = ${Number(c.req.param('shard'))}`
    const row = rows[0]
    return row ? c.body(row.content, 200, json(row.version)) : c.notFound()
  })
  .put('/row/:type/:key/:shard', async (c) => {
    const content = JSON.stringify(await c.req.json<Document>())
    const rows = await sql<{ version: number }[]>`with old as materialized (select * from bare_resource
        where id = ${c.req.param('key')} and t = ${typeOf(c.req.param('type'))} and shard = ${Number(c.req.param('shard'))} for update),
      kept as (insert into bare_history (shard, t, id, version, last_updated, pid, content) select shard, t, id, version, last_updated, pid, content from old)
      update bare_resource r set version = old.version + 1, last_updated = ${new Date()}, content = ${content}
      from old where r.id = old.id and r.t = old.t and r.shard = old.shard returning r.version`
    const row = rows[0]
    return row ? c.body(content, 200, json(row.version)) : c.notFound()
  })
  .delete('/row/:type/:key/:shard', async (c) => {
    await sql`with old as (delete from bare_resource
        where id = ${c.req.param('key')} and t = ${typeOf(c.req.param('type'))} and shard = ${Number(c.req.param('shard'))} returning *)
      insert into bare_history (shard, t, id, version, last_updated, deleted, pid, content) select shard, t, id, version, last_updated, false, pid, content from old
      union all select shard, t, id, version + 1, ${new Date()}::timestamptz, true, pid, null from old`
    return c.body(null, 204)
  })
  .post('/bundle', async (c) => {
    const { entry } = await c.req.json<{ entry: { resource: Document }[] }>()
    const ids = entry.map(() => newResourceId(0))
    const contents = entry.map(({ resource }, index) => JSON.stringify({ ...resource, id: ids[index] }))
    const now = new Date()
    await sql`insert into bare_resource (shard, t, id, version, last_updated, keys, content)
      select 0, ${typeCode('Observation')}::smallint, id, 1, ${now}::timestamptz, '{}', content from unnest(${ids}::uuid[], ${contents}::text[]) as document (id, content)`
    return c.json({ resourceType: 'Bundle', type: 'transaction-response', entry: ids.map((id) => ({ response: { status: '201 Created', location: id } })) })
  })

serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' })
