/**
 * What the caller is to a referral. A GP of the same centre stands in for the one who referred; a department is everybody who holds its
 * clinics, the named doctor among them. Whoever is nothing to it does not learn that it is there.
 */
import { mayActFor } from '../../access/acts-for.ts'
import { platform } from '../../access/principal.ts'
import type { Ctx } from '../../ctx.ts'
import type { Db } from '../../storage/pool.ts'
import { worksAt } from '../acting.ts'
import { departmentsOfDoctor, type ReferralRow } from './rows.ts'
import type { Party } from './steps.ts'

export async function partiesOf(db: Db, ctx: Ctx, row: ReferralRow): Promise<ReadonlySet<Party>> {
  const { principal } = ctx
  const parties = new Set<Party>()
  if (principal === platform) return parties.add('platform')
  if (principal.kind !== 'person') return parties
  switch (principal.role) {
    case 'gp':
      if (principal.practitioner === row.gp || worksAt(ctx, row.gp_organization)) parties.add('gp')
      break
    case 'clinician':
      if (principal.practitioner !== null && worksAt(ctx, row.organization)
        && (principal.practitioner === row.practitioner || (await departmentsOfDoctor(db, principal.practitioner, row.organization)).includes(row.department))) parties.add('department')
      break
    case 'scheduler':
      if (worksAt(ctx, row.organization)) parties.add('office')
      if (worksAt(ctx, row.gp_organization)) parties.add('gp-office')
      break
    case 'citizen':
      if (await mayActFor(db, ctx, row.pid)) parties.add('patient')
      break
    case null: case 'insurer': case 'public-health': case 'admin-system': case 'admin-security': case 'admin-audit':
  }
  return parties
}
