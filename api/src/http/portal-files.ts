/** The built portal: hashed files for a year, everything else is the page itself, so that every address of the portal can be opened and reloaded. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import { fail } from '../fhir/outcome.ts'

const folder = fileURLToPath(new URL('../../../web/dist/', import.meta.url))

export function portalFiles(): Hono {
  let page: string | null = null
  const files = serveStatic({
    root: folder,
    onFound: (path, c) => { c.header('Cache-Control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache') },
  })
  return new Hono()
    .get('/assets/*', files)
    .get('*', async (c, next) => (/\.[a-z0-9]+$/i.test(c.req.path) ? files(c, next) : next()))
    .get('*', (c) => {
      if (!c.req.header('Accept')?.includes('text/html') && c.req.path !== '/') throw fail('not-found', { zh: '没有这个地址。', en: 'There is nothing at this address.' })
      if (page === null && existsSync(`${folder}index.html`)) page = readFileSync(`${folder}index.html`, 'utf8')
      if (page === null) throw fail('not-ready', { zh: '门户页面还没有构建。', en: 'The portal has not been built yet.' })
      return c.html(page, 200, { 'Cache-Control': 'no-cache' })
    })
}
