/** The demo accounts, each tied to the person or doctor of the city that the tour shows. Never made in production. */
import { createAccounts, type NewAccount } from '@pujiang/api/access/accounts.ts'
import { demoAccounts } from '@pujiang/api/catalogue/demo-accounts.ts'
import { hashPassword } from '@pujiang/api/crypto.ts'
import type { Trx } from '@pujiang/api/storage/pool.ts'
import { agencies } from '../directory/hospitals.ts'
import { type City, doctorWithLogin } from '../directory/city.ts'
import type { Person } from '../people/households.ts'
import { Random } from '../random.ts'

type AccountRole = NewAccount['roles'][number]
interface Holder { displayName: string; roles: Omit<AccountRole, 'role'>[] }

const nobody = { patient: null, practitioner: null, organization: null, organizationName: null }

/** Staff without a Practitioner of their own. */
const officers: Readonly<Record<string, string>> = {
  scheduler: '吴倩', insurer: '许洁', 'public-health': '韩文斌', 'admin-system': '郑晔', 'admin-security': '冯骏', 'admin-audit': '曹瑛',
}

export async function createDemoAccounts(trx: Trx, city: City, citizens: readonly Person[], now: Date): Promise<void> {
  const random = new Random(`${city.seed}/accounts`)
  const accounts: NewAccount[] = await Promise.all(demoAccounts.map(async ({ login, password, role }) => {
    const holder = holderOf(city, citizens, login)
    const id = random.id(now.getTime(), random.int(0, 4095))
    return {
      id, login, passwordHash: await hashPassword(password), displayName: holder.displayName, demo: true,
      // Administrators of the demo city are nobody of its person index; each is a person of their own.
      roles: holder.roles.map((each) => ({ role, ...each, person: role.startsWith('admin-') ? id : null })),
    }
  }))
  await createAccounts(trx, accounts, now)
}

function holderOf(city: City, citizens: readonly Person[], login: string): Holder {
  if (login === 'doctor' || login === 'doctor2' || login === 'gp') {
    const doctor = doctorWithLogin(city, login)
    return {
      displayName: doctor.name.zh,
      roles: doctor.posts.map(({ hospital }) => ({ patient: null, practitioner: doctor.id, organization: hospital.id, organizationName: hospital.name.zh })),
    }
  }
  const citizen = citizens.find((each) => each.login === login)
  if (citizen) return { displayName: citizen.name.zh, roles: [{ ...nobody, patient: citizen.id }] }
  const displayName = officers[login]
  if (displayName === undefined) throw new Error(`Nobody of the city holds the demo account ${login}.`)
  const employer = employerOf(city, login)
  return { displayName, roles: [{ ...nobody, ...(employer ? { organization: employer.id, organizationName: employer.name.zh } : {}) }] }
}

/** The scheduler works at the first hospital, the insurance officer at the Shanghai centre. */
function employerOf(city: City, login: string): { id: string; name: { zh: string } } | undefined {
  if (login === 'scheduler') return city.hospitals[0]
  return login === 'insurer' ? agencies[0] : undefined
}
