/** Liveness: the process answers. Readiness: the database answers and every migration has run. */
import { Hono } from 'hono'
import { sql } from 'kysely'
import type { Services } from '../services.ts'
import { pendingMigrations } from '../storage/migrate.ts'

export function healthRoutes(services: Pick<Services, 'db'>): Hono {
  return new Hono()
    .get('/live', (c) => c.json({ status: 'ok' }))
    .get('/ready', async (c) => {
      try {
        await sql`select 1`.execute(services.db)
        const pending = await pendingMigrations(services.db, 'platform')
        return pending.length === 0 ? c.json({ status: 'ok' }) : c.json({ status: 'migrating', pending: pending.length }, 503)
      } catch {
        return c.json({ status: 'no database' }, 503)
      }
    })
}
