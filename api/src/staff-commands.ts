/** What `npm run account` does, each a function of the database that answers with lines to print. */
import type { Organization, Practitioner } from '@medplum/fhirtypes'
import { endStaffAccount, giveRole, handOutPassword, initialUntil, openStaffAccount, staffAccounts, type StaffRole, staffRoles } from './access/staff-accounts.ts'
import { hashPassword, readablePassword } from './crypto.ts'
import { instantInShanghai } from './fhir/date-time.ts'
import { newResourceId } from './fhir/id.ts'
import { normalizeResidentId, residentIdSystem } from './fhir/resident-id.ts'
import { personByDocument } from './records/person-by-document.ts'
import { loadResource } from './records/read-resource.ts'
import type { Db, Trx } from './storage/pool.ts'
import { inTransaction } from './storage/transaction.ts'

export interface StaffOptions { login?: string; name?: string; role?: string; practitioner?: string; organization?: string; 'id-number'?: string; 'factor-lost'?: boolean }

/** A line each: login, name, roles, second factor, and until when an initial password counts. */
export async function listStaff(db: Db): Promise<string[]> {
  const found = await inTransaction(db, staffAccounts)
  return found.map(({ login, name, roles, secondFactor, passwordUntil }) => [
    login, name, roles.map((each) => `${each.role}${each.organization === null ? '' : ` @ ${each.organization}`}`).join(', '), secondFactor ? 'second factor' : 'no second factor',
    ...(passwordUntil === null ? [] : [`initial password until ${instantInShanghai(new Date(passwordUntil))}`]),
  ].join('\t'))
}

/** Opens an account with one role. Lines: what was made, and the password. */
export async function addStaff(db: Db, now: Date, options: StaffOptions): Promise<string[]> {
  const [login, name] = [required(options, 'login'), required(options, 'name').normalize('NFKC').trim()]
  const password = readablePassword()
  const passwordHash = await hashPassword(password)
  await inTransaction(db, async (trx) => openStaffAccount(trx, now, { id: newResourceId(null), login, name, passwordHash, role: await roleOf(trx, options) }))
  return [`${login}: ${name}, ${options.role}`, ...passwordLines(password, now)]
}

/** One role more for an account that there is. */
export async function roleOfStaff(db: Db, _now: Date, options: StaffOptions): Promise<string[]> {
  const login = required(options, 'login')
  await inTransaction(db, async (trx) => giveRole(trx, login, await roleOf(trx, options)))
  return [`${login}: ${options.role}`]
}

/** A new password for whoever forgot theirs, and with `factor-lost` a new beginning of the second factor. */
export async function renewStaffPassword(db: Db, now: Date, options: StaffOptions): Promise<string[]> {
  const login = required(options, 'login')
  const password = readablePassword()
  const passwordHash = await hashPassword(password)
  const ended = await inTransaction(db, (trx) => handOutPassword(trx, now, login, passwordHash, { factor: options['factor-lost'] === true }))
  return [`${login}: ${ended.length} sessions ended`, ...passwordLines(password, now)]
}

/** No role of a professional any more, or none at one organization. */
export async function endStaff(db: Db, now: Date, options: StaffOptions): Promise<string[]> {
  const login = required(options, 'login')
  const ended = await inTransaction(db, (trx) => endStaffAccount(trx, now, login, options.organization ?? null))
  return [`${login}: ended, ${ended.length} sessions with it`]
}

async function roleOf(trx: Trx, options: StaffOptions): Promise<StaffRole> {
  const name = required(options, 'role')
  if (!isStaffRole(name)) throw new Error(`There is no role "${name}". Roles: ${Object.keys(staffRoles).join(', ')}.`)
  const heldFor = staffRoles[name]
  const role: StaffRole = { role: name, practitioner: null, organization: null, organizationName: null, person: null }
  if (heldFor.includes('practitioner')) role.practitioner = (await existing<Practitioner>(trx, 'Practitioner', required(options, 'practitioner'))).id ?? null
  if (heldFor.includes('organization')) {
    const organization = await existing<Organization>(trx, 'Organization', required(options, 'organization'))
    Object.assign(role, { organization: organization.id ?? null, organizationName: organization.name ?? null })
  }
  if (heldFor.includes('person')) {
    role.person = await personByDocument(trx, residentIdSystem, normalizeResidentId(required(options, 'id-number')), required(options, 'name'))
    if (role.person === null) throw new Error('The person index has nobody with this ID number and name: an administrator is a person it knows.')
  }
  return role
}

function isStaffRole(name: string): name is keyof typeof staffRoles {
  return Object.hasOwn(staffRoles, name)
}

async function existing<T extends Organization | Practitioner>(trx: Trx, type: T['resourceType'], id: string): Promise<T> {
  const found = await loadResource<T>(trx, type, id)
  if (found === null) throw new Error(`There is no ${type}/${id}.`)
  return found
}

function required(options: StaffOptions, name: Exclude<keyof StaffOptions, 'factor-lost'>): string {
  const value = options[name]
  if (value === undefined || value === '') throw new Error(`--${name} is missing.`)
  return value
}

function passwordLines(password: string, now: Date): string[] {
  return [`password: ${password}`, `It counts until ${instantInShanghai(initialUntil(now))} and is to be changed by then.`]
}
