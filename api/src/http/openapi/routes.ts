/** `/api/openapi.json` and `/docs`: what /api offers, for programs and for people. Everybody may read them. */
import { type Context, Hono } from 'hono'
import type { Services } from '../../services.ts'
import { type AppEnv, languageOf } from '../auth.ts'
import { docsPage, docsStyle } from './docs-page.ts'
import { openApi } from './openapi.ts'

const kept = { 'Cache-Control': 'public, max-age=300', Vary: 'Accept-Language' }

export function openApiRoutes({ config }: Pick<Services, 'config'>): Hono<AppEnv> {
  return new Hono<AppEnv>().get('/openapi.json', (c) => c.json(openApi(config.publicUrl, languageOf(c)), 200, kept))
}

export function docsRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/', (c) => c.html(docsPage(askedLanguage(c)), 200, kept))
    .get('/style.css', (c) => c.body(docsStyle, 200, { 'Content-Type': 'text/css; charset=utf-8', 'Cache-Control': 'public, max-age=300' }))
}

function askedLanguage(c: Context): 'zh' | 'en' {
  const asked = c.req.query('lang')
  return asked === 'zh' || asked === 'en' ? asked : languageOf(c)
}
