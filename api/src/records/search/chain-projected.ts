/**
 * Chains that lead into or through resources of a domain (`Appointment?slot.start=…`, `Slot?schedule.actor.name=…`). The domain knows its own
 * parameters only, so what stands behind a reference of such a resource is looked up first, and the domain is asked for the ids.
 */
import { sql } from 'kysely'
import { fail, OutcomeError } from '../../fhir/outcome.ts'
import { isResourceType, type ResourceType, typeCode } from '../../fhir/resource-types.ts'
import { idIn } from '../content.ts'
import type { Criterion, Walk } from './criterion.ts'
import type { QueryContext } from './parse-query.ts'
import { type Match, matchOfProjected, projectedBy } from './projected.ts'
import { referencesOf } from './references-of.ts'

/** Resources that a domain is asked for by name at most. */
const namedMax = 500

/** Finds them, when the time comes; null when there are more than `most`. */
export type ProjectedBehind = (walk: Walk, most: number) => Promise<Match[] | null>

/** The criterion of rows of the store behind a link. */
type Behind = (target: ResourceType, rest: string) => Criterion

/** `name=value` of a type that a domain makes; `context` is of that type. Throws parameter-unknown. */
export function readProjected(context: QueryContext, name: string, value: string, behind: Behind): ProjectedBehind {
  assertOffered(context, name)
  return async (walk, most) => {
    const own = await ownParameter(walk, context, name, value, behind)
    const found = own === null ? [] : await projectedBy(walk, context.type, ...own, most)
    return found && found.map((each) => matchOfProjected(walk, each))
  }
}

/** The parameter as the domain knows it; null when nothing can match. */
export async function ownParameter(walk: Walk, context: QueryContext, name: string, value: string, behind: Behind): Promise<readonly [string, string] | null> {
  assertOffered(context, name)
  if (name.startsWith('_has:')) return named('_id', await referred(walk, context, name, behind))
  const dot = name.indexOf('.')
  if (dot < 0) return [name, value]
  const [code = '', only = null] = name.slice(0, dot).split(':')
  const rest = name.slice(dot + 1)
  const targets = (context.model.searchParameters(context.type).get(code)?.targets ?? []).filter((type): type is ResourceType => isResourceType(type) && (only === null || type === only))
  const names: string[] = []
  let refusal: OutcomeError | null = null
  let asked = 0
  for (const target of targets) {
    try {
      names.push(...await namesBehind(walk, { ...context, type: target, links: context.links + 1 }, rest, value, behind))
      asked++
    } catch (error) {
      if (!(error instanceof OutcomeError) || error.issues[0]?.code !== 'parameter-unknown') throw error
      refusal ??= error
    }
  }
  if (asked === 0) throw refusal ?? new OutcomeError([context.unknown(context, name)])
  return named(code, names)
}

function named(code: string, names: readonly string[]): readonly [string, string] | null {
  const list = [...new Set(names)]
  if (list.length > namedMax) throw tooMany(code)
  return list.length === 0 ? null : [code, list.join(',')]
}

/** `Type/id` of what stands behind a reference of the domain's resource. */
async function namesBehind(walk: Walk, context: QueryContext, rest: string, value: string, behind: Behind): Promise<string[]> {
  const { type } = context
  if (!context.stored(type)) {
    const found = await readProjected(context, rest, value, behind)(walk, namedMax)
    if (found === null) throw tooMany(rest)
    return found.map(({ stored }) => `${type}/${stored.id}`)
  }
  const { conditions } = await walk.planOf(type, [behind(type, rest)], namedMax)
  const { rows } = await sql<{ content: string }>`select r.content from resource r where r.t = ${sql.raw(String(typeCode(type)))}
    and ${sql.join(conditions, sql` and `)} order by r.d0 desc, r.id limit ${namedMax + 1}`.execute(walk.db)
  return rows.map((row) => `${type}/${idIn(row.content)}`)
}

/** Ids of the domain's resources that rows of `_has:Source:param:rest` refer to. */
async function referred(walk: Walk, { model, type, stored, ...context }: QueryContext, name: string, behind: Behind): Promise<string[]> {
  const [, source = '', code = '', ...others] = name.split(':')
  const param = isResourceType(source) && stored(source) ? model.searchParameters(source).get(code) : undefined
  if (!isResourceType(source) || param?.type !== 'reference' || !param.targets.includes(type) || others.length === 0) {
    throw new OutcomeError([context.unknown({ model, type, stored, ...context }, name)])
  }
  const { conditions } = await walk.planOf(source, [behind(source, others.join(':'))], namedMax)
  const { rows } = await sql<{ keys: bigint[]; content: string }>`select r.keys, r.content from resource r where r.t = ${sql.raw(String(typeCode(source)))}
    and ${sql.join(conditions, sql` and `)} order by r.d0 desc, r.id limit ${namedMax + 1}`.execute(walk.db)
  if (rows.length > namedMax) throw tooMany(name)
  return rows.flatMap((row) => referencesOf(row.content, row.keys, [{ source, codes: param.storedAs, target: type }]).map((each) => each.id))
}

function assertOffered(context: QueryContext, name: string): void {
  const code = name.split(/[:.]/)[0] ?? name
  if (name.startsWith('_has:') || context.projected(context.type)?.parameters.includes(code)) return
  throw new OutcomeError([context.unknown(context, name)])
}

function tooMany(name: string): OutcomeError {
  return fail('too-costly', {
    zh: `参数 ${name.slice(0, 64)} 后的条件匹配超过 ${namedMax} 个资源，请缩小范围。`, en: `The condition behind ${name.slice(0, 64)} fits more than ${namedMax} resources. Make it narrower.`,
  }, name.slice(0, 64))
}
