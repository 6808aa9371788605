/** Tokens for demonstration and tests, without the network: signed by the platform's own key, refused in production. */
import { checkPassword, chooseRole } from './access/accounts.ts'
import { anonymous, type Principal } from './access/principal.ts'
import { issueToken, personTokenMinutes } from './access/tokens.ts'
import { demoPassword } from './catalogue/demo-accounts.ts'
import type { Config } from './config.ts'
import { systemNow } from './ctx.ts'
import { withDatabases } from './databases.ts'
import { newResourceId } from './fhir/id.ts'
import { tokenAuthority } from './platform-services.ts'
import { type Db, openDb } from './storage/pool.ts'

export interface TokenWish { client: string | null; user: string | null; scope: string | null }

/** @throws Error with a sentence for the person at the terminal. */
export async function mintDemoToken(config: Config, wish: TokenWish): Promise<string> {
  if (config.production) throw new Error('The token command is for demonstration and tests; it is off in production.')
  return withDatabases(config, async ({ platform }) => {
    const db = openDb(platform, { max: 1 })
    try {
      const now = new Date(systemNow().getTime() + config.clockOffsetMs)
      const principal = wish.user === null ? await clientPrincipal(db, wish) : await personPrincipal(db, wish.user)
      return await issueToken(await tokenAuthority(config, db, now), principal, now, personTokenMinutes, newResourceId(null))
    } finally {
      await db.destroy()
    }
  })
}

async function clientPrincipal(db: Db, wish: TokenWish): Promise<Principal> {
  const row = await db.selectFrom('client').selectAll().where('id', '=', wish.client ?? '').executeTakeFirst()
  if (!row) {
    const known = await db.selectFrom('client').select('id').orderBy('id').execute()
    throw new Error(`There is no client "${wish.client ?? ''}". Known: ${known.map((each) => each.id).join(', ')}.`)
  }
  const scopes = (wish.scope ?? row.scopes).split(/\s+/)
  return { ...anonymous, kind: 'client', id: row.id, name: row.display_name, organization: row.organization, scopes }
}

async function personPrincipal(db: Db, login: string): Promise<Principal> {
  const account = await checkPassword(db, login, demoPassword).catch(() => null)
  if (account === null) throw new Error(`There is no demo account "${login}".`)
  const found = await chooseRole(db, account, { role: null, organization: null })
  if (!Array.isArray(found)) return found
  const chosen = await chooseRole(db, account, { role: found[0]?.role ?? null, organization: found[0]?.organization ?? null })
  if (Array.isArray(chosen)) throw new Error(`Account "${login}" has several roles that can't be told apart.`)
  return chosen
}
