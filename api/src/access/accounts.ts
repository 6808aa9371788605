/** People who may sign in, and the roles they have. A wrong login and a wrong password give the same answer in the same time. */
import { hashPassword, verifyPassword } from '../crypto.ts'
import { fail } from '../fhir/outcome.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { anonymous, type Principal, type Role } from './principal.ts'
import type { RoleChoice } from './shapes.ts'

export interface NewAccount {
  /** UUID. */
  id: string
  login: string
  passwordHash: string
  displayName: string
  demo: boolean
  roles: { role: Role; patient: string | null; practitioner: string | null; organization: string | null; organizationName: string | null }[]
}

export async function createAccounts(trx: Trx, accounts: readonly NewAccount[], now: Date): Promise<void> {
  if (accounts.length === 0) return
  await trx.insertInto('account').values(accounts.map((account) => ({
    id: account.id, login: account.login, password_hash: account.passwordHash, display_name: account.displayName, demo: account.demo, created_at: now,
  }))).execute()
  await trx.insertInto('account_role').values(accounts.flatMap((account) => account.roles.map((each) => ({
    account_id: account.id, role: each.role, patient: each.patient, practitioner: each.practitioner,
    organization: each.organization, organization_name: each.organizationName,
  })))).execute()
}

/** A hash nobody's password has: verified against when the login is unknown, so that timing tells nothing. */
const decoy = hashPassword('no account has this password')

/**
 * Checks the password and the role asked for.
 * @returns the principal, or the roles to choose from when the person has several and named none.
 * @throws OutcomeError `sign-in-failed` (401).
 */
export async function signIn(db: Db, login: string, password: string, asked: { role: string | null; organization: string | null }): Promise<Principal | RoleChoice[]> {
  const account = await db.selectFrom('account').select(['id', 'password_hash', 'display_name']).where('login', '=', login.trim().toLowerCase()).executeTakeFirst()
  const right = await verifyPassword(password, account?.password_hash ?? await decoy)
  if (!account || !right) throw signInFailed()
  const choices = await db.selectFrom('account_role').selectAll().where('account_id', '=', account.id).orderBy('role').orderBy('organization_name').execute()
  const fitting = choices.filter((choice) => (asked.role === null || choice.role === asked.role) && (asked.organization === null || choice.organization === asked.organization))
  const chosen = fitting[0]
  if (!chosen) throw signInFailed()
  if (fitting.length > 1) return fitting.map((each) => ({ role: each.role as Role, organization: each.organization, organizationName: each.organization_name }))
  return {
    ...anonymous, kind: 'person', id: account.id, name: account.display_name, role: chosen.role as Role, patient: chosen.patient,
    practitioner: chosen.practitioner, organization: chosen.organization, organizationName: chosen.organization_name,
  }
}

function signInFailed() {
  return fail('sign-in-failed', { zh: '用户名或密码不正确。', en: 'The user name or password is not right.' })
}
