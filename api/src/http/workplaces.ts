/** What the hospitals that people sign in for are called in both languages: an account keeps the name that stood there when it was made. */
import type { Organization } from '@medplum/fhirtypes'
import type { Sentence } from '../fhir/outcome.ts'
import { bothLanguagesOf } from '../fhir/translation.ts'
import { loadResources } from '../records/read-resource.ts'
import type { Db } from '../storage/pool.ts'

interface Workplace { organization: string | null; organizationName: string | null }

/** The names of each by today's directory; where it is not in there, as the account has it. Null where there is no organization. */
export async function workplaces(db: Db, places: readonly Workplace[]): Promise<(Sentence | null)[]> {
  const found = await loadResources<Organization>(db, 'Organization', places.flatMap(({ organization }) => organization ?? []))
  return places.map(({ organization, organizationName }) => bothLanguagesOf(found.get(organization ?? ''), 'name') ?? (organizationName === null ? null : { zh: organizationName, en: organizationName }))
}
