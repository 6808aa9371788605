/**
 * Accounts of professionals, which nobody opens by themselves: made, given a role, a new password, and ended by whoever runs the platform (`npm run
 * account`). Invariants: a role names what it is held for (a doctor their Practitioner and hospital, an administrator the natural person), nobody holds two
 * of the three administrators under any account (index account_role_administrator_once), a password that was handed out counts for three
 * days, and what is ended is out at the next request.
 */
import { fail } from '../fhir/outcome.ts'
import { keyOf } from '../fhir/id.ts'
import type { Trx } from '../storage/pool.ts'
import { createAccounts, normaliseLogin, setPassword } from './accounts.ts'
import type { Role } from './principal.ts'
import { endSessions } from './sessions.ts'

/** What each role is held for; citizens register by themselves. */
export const staffRoles: Readonly<Record<Exclude<Role, 'citizen'>, readonly ('practitioner' | 'organization' | 'person')[]>> = {
  'clinician': ['practitioner', 'organization'], 'gp': ['practitioner', 'organization'], 'scheduler': ['organization'], 'insurer': ['organization'], 'public-health': [],
  'admin-system': ['person'], 'admin-security': ['person'], 'admin-audit': ['person'],
}

const initialDays = 3

export interface StaffRole {
  role: keyof typeof staffRoles
  /** FHIR ids of resources that exist; null what the role is not held for. */
  practitioner: string | null
  organization: string | null
  organizationName: string | null
  /** FHIR id of the Patient that the person index has of them. */
  person: string | null
}

export interface StaffAccount { login: string; name: string; roles: { role: string; organization: string | null }[]; secondFactor: boolean; passwordUntil: string | null }

/** Until when a password that is handed out now counts. */
export function initialUntil(now: Date): Date {
  return new Date(now.getTime() + initialDays * 24 * 3_600_000)
}

/** A new account with a password to be changed. @param id UUID. @throws parameter-invalid for a name nobody can sign in with; the constraints of accounts. */
export async function openStaffAccount(trx: Trx, now: Date, given: { id: string; login: string; name: string; passwordHash: string; role: StaffRole }): Promise<void> {
  const login = normaliseLogin(given.login)
  if (!/^[\p{L}\p{N}._-]{3,60}$/u.test(login) || /^1\d{10}$/.test(login)) {
    throw fail('parameter-invalid', { zh: '账号须为 3 到 60 个字母、汉字或数字，不能是手机号。', en: 'The login needs 3 to 60 letters or digits and must not be a phone number.' }, 'login')
  }
  await createAccounts(trx, [{ id: given.id, login, displayName: given.name, passwordHash: given.passwordHash, demo: false, initialUntil: initialUntil(now), roles: [rowOf(given.role)] }], now)
}

/** One role more. @throws account-unknown; account-role when it is held already, or by law not by this person. */
export async function giveRole(trx: Trx, login: string, role: StaffRole): Promise<void> {
  const { patient, practitioner, organization, organizationName, person, role: name } = rowOf(role)
  await trx.insertInto('account_role').values({ account_id: (await accountOf(trx, login)).id, role: name, patient, practitioner, organization, organization_name: organizationName, person }).execute()
}

/** A new password to be changed; all sessions end, and with `factor` the authenticator that was lost. @returns ids of the sessions. */
export async function handOutPassword(trx: Trx, now: Date, login: string, passwordHash: string, { factor }: { factor: boolean }): Promise<string[]> {
  const { id } = await accountOf(trx, login)
  await setPassword(trx, now, id, passwordHash, initialUntil(now))
  if (factor) await trx.updateTable('account').set({ totp_secret: null, totp_confirmed_at: null, totp_step: null, recovery_codes: [] }).where('id', '=', id).execute()
  return endSessions(trx, now, { account: id }, 'password')
}

/** All roles of professionals end, or those at one organization, and every session. The account stays for the log that names it. @returns ids of the sessions. @throws account-unknown, also when it has no such role. */
export async function endStaffAccount(trx: Trx, now: Date, login: string, organization: string | null): Promise<string[]> {
  const { id } = await accountOf(trx, login)
  const { numDeletedRows } = await trx.deleteFrom('account_role').where('account_id', '=', id).where('role', '<>', 'citizen').$if(organization !== null, (query) => query.where('organization', '=', organization)).executeTakeFirst()
  if (numDeletedRows === 0n) throw fail('account-unknown', { zh: `账号“${login}”没有这样的角色，什么也没有结束。`, en: `The account "${login}" has no such role. Nothing was ended.` }, 'login')
  return endSessions(trx, now, { account: id }, 'revoked')
}

export async function staffAccounts(trx: Trx): Promise<StaffAccount[]> {
  const rows = await trx.selectFrom('account as a').innerJoin('account_role as r', 'r.account_id', 'a.id').where('r.role', '<>', 'citizen')
    .select(['a.login', 'a.display_name', 'a.totp_confirmed_at', 'a.initial_until', 'r.role', 'r.organization_name']).orderBy('a.login').orderBy('r.role').execute()
  const found = new Map<string, StaffAccount>()
  for (const row of rows) {
    const account = found.get(row.login) ?? { login: row.login, name: row.display_name, roles: [], secondFactor: row.totp_confirmed_at !== null, passwordUntil: row.initial_until }
    account.roles.push({ role: row.role, organization: row.organization_name })
    found.set(row.login, account)
  }
  return [...found.values()]
}

async function accountOf(trx: Trx, login: string): Promise<{ id: string }> {
  const account = await trx.selectFrom('account').select('id').where('login', '=', normaliseLogin(login)).executeTakeFirst()
  if (!account) throw fail('account-unknown', { zh: `没有账号“${login}”。`, en: `There is no account "${login}".` }, 'login')
  return account
}

function rowOf({ role, practitioner, organization, organizationName, person }: StaffRole) {
  return { role, patient: null, practitioner, organization, organizationName, person: person === null ? null : keyOf(person) }
}
