/** People who may sign in, and the roles they have. A wrong login and a wrong password give the same answer in the same time. */
import type { Kysely, Selectable } from 'kysely'
import { hashPassword, verifyPassword } from '../crypto.ts'
import { fail } from '../fhir/outcome.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { AccountRoleTable, AccountTable, Tables } from '../storage/tables.ts'
import { anonymous, type Principal, type Role } from './principal.ts'
import type { RoleChoice } from './shapes.ts'

export interface NewAccount {
  /** UUID. */
  id: string
  login: string
  passwordHash: string
  displayName: string
  demo: boolean
  phone?: string | null
  /** How the person was proved; at a desk unless said. */
  proof?: AccountRow['proof']
  /** Until when the password counts that was handed out; the person chose it unless said. */
  initialUntil?: Date | null
  /** `person`: key of the Patient who an administrator is. */
  roles: { role: Role; patient: string | null; practitioner: string | null; organization: string | null; organizationName: string | null; person?: string | null }[]
}

export type AccountRow = Selectable<AccountTable>

export async function createAccounts(trx: Trx, accounts: readonly NewAccount[], now: Date): Promise<void> {
  if (accounts.length === 0) return
  await trx.insertInto('account').values(accounts.map((account) => ({
    id: account.id, login: account.login, password_hash: account.passwordHash, display_name: account.displayName, demo: account.demo, created_at: now,
    phone: account.phone ?? null, password_changed_at: now, totp_secret: null, totp_confirmed_at: null, totp_step: null, proof: account.proof ?? 'desk', initial_until: account.initialUntil ?? null,
  }))).execute()
  await trx.insertInto('account_role').values(accounts.flatMap((account) => account.roles.map((each) => ({
    account_id: account.id, role: each.role, patient: each.patient, practitioner: each.practitioner,
    organization: each.organization, organization_name: each.organizationName, person: each.person ?? null,
  })))).execute()
}

/** A hash nobody's password has: verified against when the login is unknown, so that timing tells nothing. */
const decoy = hashPassword('no account has this password')

/** As typed → as stored: names in small letters, a phone number as its digits. */
export function normaliseLogin(typed: string): string {
  const plain = typed.normalize('NFKC').trim().toLowerCase()
  const digits = plain.replaceAll(/[\s-]/g, '').replace(/^\+?86(?=1\d{10}$)/, '')
  return /^1\d{10}$/.test(digits) ? digits : plain
}

/** The account, when login (name or phone) and password are right. @throws OutcomeError `sign-in-failed` (401). */
export async function checkPassword(db: Db, login: string, password: string): Promise<AccountRow> {
  const account = await db.selectFrom('account').selectAll().where((eb) => eb.or([eb('login', '=', login), eb('phone', '=', login)])).executeTakeFirst()
  const right = await verifyPassword(password, account?.password_hash ?? await decoy)
  if (!account || !right) throw signInFailed()
  return account
}

export async function readAccount(db: Kysely<Tables>, id: string): Promise<AccountRow> {
  const account = await db.selectFrom('account').selectAll().where('id', '=', id).executeTakeFirst()
  if (!account) throw signInFailed()
  return account
}

/**
 * The role asked for.
 * @returns the principal, or the roles to choose from when several fit. @throws OutcomeError `sign-in-failed` (401) when none does.
 */
export async function chooseRole(db: Db, account: Pick<AccountRow, 'id' | 'display_name'>, asked: { role: string | null; organization: string | null }): Promise<Principal | Omit<RoleChoice, 'workplace'>[]> {
  const roles = await db.selectFrom('account_role').selectAll().where('account_id', '=', account.id).orderBy('role').orderBy('organization_name').execute()
  const fitting = roles.filter((each) => (asked.role === null || each.role === asked.role) && (asked.organization === null || each.organization === asked.organization))
  const [chosen] = fitting
  if (!chosen) throw signInFailed()
  if (fitting.length > 1) return fitting.map((each) => ({ role: each.role as Role, organization: each.organization, organizationName: each.organization_name }))
  return principalIn(account, chosen)
}

function principalIn(account: Pick<AccountRow, 'id' | 'display_name'>, role: Selectable<AccountRoleTable>): Principal {
  return {
    ...anonymous, kind: 'person', id: account.id, name: account.display_name, role: role.role as Role, patient: role.patient,
    practitioner: role.practitioner, organization: role.organization, organizationName: role.organization_name,
  }
}

export async function changePassword(trx: Trx, now: Date, account: string, password: string): Promise<void> {
  await setPassword(trx, now, account, await hashPassword(password), null)
}

/** @param initialUntil until when it counts; null when the person chose it. */
export async function setPassword(trx: Trx, now: Date, account: string, passwordHash: string, initialUntil: Date | null): Promise<void> {
  await trx.updateTable('account').set({ password_hash: passwordHash, password_changed_at: now, initial_until: initialUntil }).where('id', '=', account).execute()
}

/** Until when the password counts that was handed out, an instant; null when the person chose it. */
export async function initialPasswordUntil(db: Db, account: string): Promise<Date | null> {
  const row = await db.selectFrom('account').select('initial_until').where('id', '=', account).executeTakeFirst()
  return row?.initial_until ? new Date(row.initial_until) : null
}

/** A password that was handed out has to be changed in time. @throws password-expired (401), only to whoever knows it. */
export function assertPasswordCounts({ initial_until }: Pick<AccountRow, 'initial_until'>, now: Date): void {
  if (initial_until === null || Date.parse(initial_until) > now.getTime()) return
  throw fail('password-expired', { zh: '初始密码已过期，请联系管理员重新发放。', en: 'The initial password has run out. Ask for a new one.' })
}

/** A new password for the account of a citizen who holds no other role. @returns the account; null when there is none. */
export async function replacePassword(trx: Trx, now: Date, patient: string, passwordHash: string): Promise<string | null> {
  const changed = await trx.updateTable('account').set({ password_hash: passwordHash, password_changed_at: now, initial_until: null })
    .where('id', 'in', (of) => of.selectFrom('account_role').select('account_id').where('role', '=', 'citizen').where('patient', '=', patient))
    .where(({ not, exists, selectFrom }) => not(exists(selectFrom('account_role as other').select('other.role').whereRef('other.account_id', '=', 'account.id').where('other.role', '<>', 'citizen'))))
    .returning('id').executeTakeFirst()
  return changed?.id ?? null
}

function signInFailed() {
  return fail('sign-in-failed', { zh: '用户名或密码不正确。', en: 'The user name or password is not right.' })
}
