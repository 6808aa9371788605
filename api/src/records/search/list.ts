/** `_list=id`: members of a List that the caller may see, but for entries marked deleted. Source: FHIR R4 3.1.1.4.4. */
import { sql } from 'kysely'
import type { List } from '@medplum/fhirtypes'
import { isFhirId, keyOf } from '../../fhir/id.ts'
import { OutcomeError } from '../../fhir/outcome.ts'
import { parseReference } from '../../fhir/references.ts'
import { typeCode } from '../../fhir/resource-types.ts'
import { parseStored } from '../../fhir/json.ts'
import { byReading, byRowKeys, type Criterion, invalidValue, unescapeValue } from './criterion.ts'

export function searchList(type: string, values: readonly string[]): Criterion {
  const ids = values.map(unescapeValue).map((value) => value.replace(/^List\//, ''))
  const wrong = ids.find((id) => !isFhirId(id))
  if (wrong !== undefined) {
    throw new OutcomeError([invalidValue({ name: '_list' }, wrong, {
      zh: '请给出 List 资源的编号；$current-… 之类的功能列表须单独使用。', en: 'give the id of a List. A functional list such as $current-problems stands by itself.',
    })])
  }
  return byReading(async ({ db, planOf }) => {
    const listed = byRowKeys(ids.map(keyOf))
    const { rows } = await sql<{ content: string }>`select r.content from resource r
      where r.t = ${sql.raw(String(typeCode('List')))} and ${sql.join((await planOf('List', [listed], 'one of few')).conditions, sql` and `)}`.execute(db)
    return byRowKeys(rows.flatMap((row) => membersOf(type, parseStored(row.content) as List)))
  })
}

/** Keys of the members of a type. */
function membersOf(type: string, list: List): string[] {
  return (list.entry ?? []).flatMap(({ deleted, item }) => {
    const parsed = deleted !== true && item?.reference ? parseReference(item.reference) : null
    return parsed?.kind === 'local' && parsed.type === type ? [keyOf(parsed.id)] : []
  })
}
