/**
 * `:above` and `:below` of references: the resource itself, and those that it is part of, or that are part of it, level by level
 * (`Encounter?location:below=Location/hospital` finds visits in its wards). A type has a hierarchy when one of its references, by the names in
 * `parents`, points to its own type. Rows the caller may not see lead nowhere. Source: FHIR R4 3.1.1.4.12 (circular references).
 */
import { sql } from 'kysely'
import { keyOf } from '../../fhir/id.ts'
import type { FhirModel } from '../../fhir/model.ts'
import { fail } from '../../fhir/outcome.ts'
import { type ResourceType, typeCode } from '../../fhir/resource-types.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'
import { type Asked, byCondition, byKeys, byReading, byRowKeys, type Criterion, keyArray, type Walk } from './criterion.ts'
import { linkKey, linkSeed } from './keys.ts'
import { referencesOf } from './references-of.ts'

/** A resource by its type and the key of its row. */
export interface Member { type: ResourceType; key: string }

const parents = ['partof', 'part-of', 'parent']
const levelsMax = 20
const membersMax = 10_000

/** The parameter by which resources of a type name what they are part of; null when the type has no hierarchy. */
export function parentParameter(model: FhirModel, type: ResourceType): SearchParam | null {
  const parameters = model.searchParameters(type)
  return parents.map((code) => parameters.get(code)).find((param) => param?.type === 'reference' && param.targets.includes(type)) ?? null
}

export function searchHierarchy({ model, type, param, name }: Asked, direction: 'above' | 'below', roots: readonly Member[]): Criterion {
  return byReading(async (walk) => {
    const keys: bigint[] = []
    for (const root of roots) {
      const own = parentParameter(model, root.type) as SearchParam
      const members = new Set([root.key])
      let level = [root.key]
      for (let depth = 0; level.length > 0 && depth < levelsMax; depth++) {
        const found = direction === 'below' ? await childrenOf(walk, root.type, own, level) : await parentsOf(walk, root.type, own, level)
        level = found.filter((key) => !members.has(key))
        for (const key of level) members.add(key)
        if (members.size > membersMax) throw tooWide(name)
      }
      for (const code of param.storedAs) {
        const seed = linkSeed(type, code, root.type)
        for (const member of members) keys.push(linkKey(seed, member))
      }
    }
    return byKeys(keys)
  })
}

async function childrenOf(walk: Walk, type: ResourceType, own: SearchParam, level: readonly string[]): Promise<string[]> {
  const keys = own.storedAs.flatMap((code) => level.map((key) => linkKey(linkSeed(type, code, type), key)))
  const refers = { ...byCondition(sql`r.keys && ${keyArray(keys)}`), narrow: true as const }
  const { conditions } = await walk.planOf(type, [refers], 'one of few')
  const { rows } = await sql<{ id: string }>`select r.id from resource r where r.t = ${sql.raw(String(typeCode(type)))} and ${sql.join(conditions, sql` and `)} limit ${membersMax + 1}`.execute(walk.db)
  return rows.map((row) => row.id)
}

async function parentsOf(walk: Walk, type: ResourceType, own: SearchParam, level: readonly string[]): Promise<string[]> {
  const { conditions } = await walk.planOf(type, [byRowKeys(level)], 'one of few')
  const { rows } = await sql<{ keys: bigint[]; content: string }>`select r.keys, r.content from resource r where r.t = ${sql.raw(String(typeCode(type)))} and ${sql.join(conditions, sql` and `)}`.execute(walk.db)
  return rows.flatMap((row) => referencesOf(row.content, row.keys, [{ source: type, codes: own.storedAs, target: type }]).map((each) => keyOf(each.id)))
}

function tooWide(name: string) {
  return fail('too-costly', { zh: `参数 ${name} 涉及超过 ${membersMax} 个上级或下级。`, en: `${name} leads to more than ${membersMax} resources above or below.` }, name)
}
