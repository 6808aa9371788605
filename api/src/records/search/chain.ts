/**
 * Chained parameters (`subject:Patient.name=…`) and reverse chained ones (`_has:Observation:patient:code=…`), each of any depth up to
 * `linksMax`. The rows at the other end are read first. When they are many, every row that comes up is asked for itself whether it is
 * linked to one of them: by column `pid` where the link is the patient of a compartment, else by the reference keys. Only a forward link that
 * is not through the patient can't be asked that way: there, too many rows behind it are refused.
 * Every row that is walked over passes `visible`. Resources that rows contain are looked into as well (contained.ts). Source: FHIR R4 3.1.1.4.13 (chaining), 3.1.1.4.14 (_has).
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { keyOf } from '../../fhir/id.ts'
import { fail, type Issue, issue, OutcomeError } from '../../fhir/outcome.ts'
import { isResourceType, type ResourceType } from '../../fhir/resource-types.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'
import { anyPlan } from '../../storage/one-plan.ts'
import { addressOf, canonicalKeys, canonicalsOf, isCanonical, isDefinition, namedBy, refersExactly } from './canonical.ts'
import { containedKey, containedParameter, trailBy } from './contained.ts'
import { byCondition, byKeys, byReading, byRowKeys, type Criterion, hasAny, nothing, oneOf, type Walk } from './criterion.ts'
import { datedReferences } from './by-date.ts'
import { linkKey, linkSeed } from './keys.ts'
import { ownParameter, type ProjectedBehind, readProjected } from './chain-projected.ts'
import { linkOf, ofPatients, refersTo } from './link.ts'
import { nearest } from '../../fhir/nearest.ts'
import { parameterCriterion } from './parameter.ts'
import type { QueryContext } from './parse-query.ts'
import { decidesCompartment } from './reference.ts'
import { referencesOf } from './references-of.ts'
import { either, isAnyHeld, rowKeys, rowsOf } from './row-keys.ts'
import { rowsOfType } from './statistics.ts'

export const linksMax = 6
/** Rows behind a forward link that are read at most. */
const behindMax = 10_000
/** Patients behind a link up to which they are read, rather than asked for row by row. */
const patientsMax = 1_000
/** Up to so many patients, their compartments are searched one by one. */
const compartmentsMax = 20
/** Rows that refer, likewise. */
const referringMax = 2_000
/** When of so many patients one is linked, or more, a page is found soonest by asking each patient that comes up. */
const rowsByPatientMax = 20
/** Definitions behind a link by canonical address. */
const definitionsMax = 500
/** Types that all links of one search may try together. */
const branchesMax = 100

export function isChain(name: string): boolean {
  return name.includes('.') || name.startsWith('_has:')
}

/** Throws parameter-unknown and parameter-invalid. */
export function readChain(context: QueryContext, name: string, value: string): Criterion {
  if (context.links >= linksMax) {
    throw tooDeep(name)
  }
  return name.startsWith('_has:') ? readReverse(context, name, value) : readForward(context, name, value)
}

/** Resources of a domain behind a link; of what is behind those in turn, the store knows how to ask. */
function projectedBehind(context: QueryContext, type: ResourceType, rest: string, value: string): ProjectedBehind {
  const inner = { ...context, type, links: context.links + 1, within: undefined }
  if (inner.links > linksMax) throw tooDeep(rest)
  return readProjected(inner, rest, value, (target, name) => behind(inner, target, name, value))
}

/** A chained parameter or `_has` of a type that a domain makes, as a parameter that the domain knows. */
export function projectedQuery(walk: Walk, context: QueryContext, name: string, value: string): Promise<readonly [string, string] | null> {
  return ownParameter(walk, context, name, value, (target, rest) => behind(context, target, rest, value))
}

/** The criterion of what stands behind a link. */
function behind(context: QueryContext, type: ResourceType, rest: string, value: string): Criterion {
  if (--context.branches.left < 0) {
    throw fail('too-costly', { zh: `链式参数涉及的类型过多（最多 ${branchesMax} 个），请注明类型。`, en: `The chains of this search try more than ${branchesMax} types. Name the types.` }, rest.slice(0, 64))
  }
  const inner = { ...context, type, links: context.links + 1, within: undefined }
  const criterion = isChain(rest) ? readChain(inner, rest, value) : parameterCriterion(inner, rest, value)
  if (criterion === null) throw new OutcomeError([context.unknown(inner, rest)])
  return criterion
}

export function newBranches(): { left: number } {
  return { left: branchesMax }
}

function readForward(context: QueryContext, name: string, value: string): Criterion {
  const dot = name.indexOf('.')
  const [code = '', only = null, ...more] = name.slice(0, dot).split(':')
  const rest = name.slice(dot + 1)
  const own = referenceParameter(context, code, name)
  const param = context.within ? containedParameter(own, context.within.trail) : own
  const trail = trailBy(context.within?.trail ?? null, context.type, own.code)
  if (more.length > 0 || rest === '') throw badLink(name, `${code}.${rest || '_id'}`)
  const stored = own.targets.filter((type): type is ResourceType => isResourceType(type) && (context.stored(type) || context.projected(type) !== null))
  if (only !== null && !(stored as string[]).includes(only)) throw badLink(name, `${code}:${nearest(only, stored) ?? stored[0] ?? 'Patient'}.${rest}`)
  const branches: ChainBranch[] = []
  let refusal = null as OutcomeError | null
  for (const type of only === null ? stored : [only as ResourceType]) {
    try {
      const criterion = context.stored(type) ? behind(context, type, rest, value) : projectedBehind(context, type, rest, value)
      branches.push({ type, criterion, contained: trail === null ? nothing : inside(context, type, rest, value, trail) })
    } catch (error) {
      if (!(error instanceof OutcomeError) || error.issues[0]?.code !== 'parameter-unknown') throw error
      // Of several refusals one that names a parameter helps most.
      if (refusal === null || !refusal.message.includes('nearest')) refusal = error
    }
  }
  if (branches.length === 0) throw refusal ?? badLink(name, null)
  return byReading(async (walk) => {
    const found = await forward(walk, context, param, branches)
    const rows = context.within?.rows ?? context.type
    const marks = trail === null || isCanonical(context.model, context.type, param) ? [] : branches.map((each) => containedKey(each.type, trail))
    // Nearly always there are none, which one look into the index of keys says.
    if (marks.length === 0 || !await isAnyHeld(walk, rows, marks)) return found
    return either(walk, rows, [[found], ...branches.map((each, index) => [byKeys(marks.slice(index, index + 1)), each.contained])])
  })
}

/** What stands behind a link: rows of the store, or resources of a domain; and what stands inside the rows that refer. */
interface ChainBranch { type: ResourceType; criterion: Criterion | ProjectedBehind; contained: Criterion }

/** The same of resources that the rows contain. What is wrong with the value, the criterion of rows has said. */
function inside(context: QueryContext, type: ResourceType, rest: string, value: string, trail: string): Criterion {
  if (rest.startsWith('_has:')) return nothing
  const inner: QueryContext = { ...context, type, links: context.links + 1, branches: newBranches(), within: { rows: context.within?.rows ?? context.type, trail } }
  return (isChain(rest) ? readForward(inner, rest, value) : parameterCriterion(inner, rest, value)) ?? nothing
}

async function forward(walk: Walk, { model, type }: QueryContext, param: SearchParam, branches: readonly ChainBranch[]): Promise<Criterion> {
  const keys: bigint[] = []
  const linked: string[] = []
  const canonical: bigint[] = []
  const joins: RawBuilder<SqlBool>[] = []
  let perKey = 0
  const linkTo = async (target: ResourceType, ids: readonly string[]): Promise<void> => {
    linked.push(...ids)
    if (ids.length > 0) perKey = Math.max(perKey, await rowsOfType(walk.db, type) / Math.max(1, await rowsOfType(walk.db, target)))
    for (const code of param.storedAs) {
      const seed = linkSeed(type, code, target)
      for (const id of ids) keys.push(linkKey(seed, id))
    }
  }
  for (const { type: target, criterion } of branches) {
    if (typeof criterion === 'function') {
      const found = await criterion(walk, behindMax)
      if (found === null) throw tooMany(param.code, target)
      await linkTo(target, found.map(({ stored }) => keyOf(stored.id)))
      continue
    }
    if (target === 'Patient' && decidesCompartment({ model, type, param })) {
      const ids = await rowKeys(walk, target, [criterion], patientsMax)
      if (ids !== null && ids.length <= compartmentsMax && branches.length === 1) return { ...ofPatients(ids, type, param), chained: true }
      if (ids !== null && branches.length === 1) return { ...byCondition(refersTo(sql`r.pid`, type, param, target)), among: ids, chained: true }
      joins.push(sql<SqlBool>`(${ids === null ? await isOneOf(walk, target, criterion) : sql<SqlBool>`r.pid = any(${uuidArray(ids)})`} and ${refersTo(sql`r.pid`, type, param, target)})`)
      continue
    }
    if (isCanonical(model, type, param)) {
      if (!isDefinition(model, target)) continue
      const { conditions } = await walk.planOf(target, [criterion], definitionsMax)
      const { rows } = await sql<{ content: string }>`select r.content from resource r where ${rowsOf(target, conditions)} order by r.d0 desc, r.id limit ${definitionsMax + 1}`.execute(walk.db)
      if (rows.length > definitionsMax) throw tooMany(param.code, target)
      const definitions = rows.flatMap((row) => addressOf(row.content) ?? [])
      canonical.push(...canonicalKeys(type, param.storedAs, definitions))
      joins.push(...definitions.map((each) => refersExactly(type, param.storedAs, each)))
      continue
    }
    const ids = await rowKeys(walk, target, [criterion], behindMax)
    if (ids === null) throw tooMany(param.code, target)
    await linkTo(target, ids)
  }
  if (joins.length === 0) return keys.length === 0 ? nothing : { ...byKeys(keys), perKey, ...datedReferences(model.searchParameters(type), type, param, linked), chained: true }
  if (canonical.length > 0) return { ...byKeys(canonical), where: oneOf(joins) }
  if (keys.length > 0) joins.push(hasAny(keys))
  return byCondition(oneOf(joins))
}

function uuidArray(ids: readonly string[]): RawBuilder<unknown> {
  return sql`${`{${ids.join(',')}}`}::text::uuid[]`
}

/** The row's patient matches. */
async function isOneOf(walk: Walk, type: ResourceType, criterion: Criterion): Promise<RawBuilder<SqlBool>> {
  const { conditions } = await walk.planOf(type, [criterion], 'one of few')
  return sql<SqlBool>`exists (select 1 from (select r.pid offset 0) wanted (id), lateral (select 1 from resource r where r.id = wanted.id and ${rowsOf(type, conditions)} limit 1) found)`
}

/** `_has:Observation:patient:code`. */
function readReverse(context: QueryContext, name: string, value: string): Criterion {
  const [, source = '', code = '', ...others] = name.split(':')
  const rest = others.join(':')
  if (!isResourceType(source) || (!context.stored(source) && context.projected(source) === null)) throw badLink(name, '_has:Observation:patient:code')
  const param = referenceParameter({ ...context, type: source }, code, name)
  if (rest === '') throw badLink(name, `_has:${source}:${code}:_id`)
  if (param.targets.length > 0 && !param.targets.includes(context.type)) {
    const codes = [...context.model.searchParameters(source).values()].filter((each) => each.type === 'reference' && each.targets.includes(context.type)).map((each) => each.code)
    throw badLink(name, codes.length > 0 ? `_has:${source}:${nearest(code, codes) ?? codes[0]}:${rest}` : null)
  }
  if (!context.stored(source)) {
    const projected = projectedBehind(context, source, rest, value)
    return byReading(async (walk) => {
      const found = await projected(walk, referringMax)
      if (found === null) throw tooMany(param.code, source)
      const wanted = { source, codes: param.storedAs, target: context.type }
      return byRowKeys(found.flatMap(({ stored, keys }) => referencesOf(stored.content, keys, [wanted]).map((each) => keyOf(each.id))))
    })
  }
  const criterion = behind(context, source, rest, value)
  return byReading((walk) => reverse(walk, context, source, param, criterion))
}

async function reverse(walk: Walk, { model, type }: QueryContext, source: ResourceType, param: SearchParam, criterion: Criterion): Promise<Criterion> {
  const plan = await walk.planOf(source, [criterion], referringMax)
  const matching = rowsOf(source, plan.conditions)
  const ofFew = async () => rowsOf(source, (await walk.planOf(source, [criterion], 'one of few')).conditions)
  if (type === 'Patient' && decidesCompartment({ model, type: source, param })) {
    const refers = refersTo(sql`r.pid`, source, param, type)
    const expected = plan.expected ?? 0
    const found = sql`select r.pid from resource r where ${matching} and ${refers}`
    // Where the statistics know that few rows refer, they need no counting first.
    if (plan.expected !== null && expected <= referringMax && await rowsOfType(walk.db, source) > 0) return { ...byCondition(sql<SqlBool>`r.id = any(array(${found}))`), narrow: true, found }
    if (expected <= referringMax) {
      const { rows } = await sql<{ pid: string }>`${found} order by r.d0 desc, r.id limit ${referringMax + 1}`.execute(walk.db)
      if (rows.length <= referringMax) return byRowKeys(rows.map((row) => row.pid))
    }
    if (expected * rowsByPatientMax < await rowsOfType(walk.db, 'Patient')) {
      const all = rowsOf(source, (await walk.planOf(source, [criterion], 'all')).conditions)
      return byCondition(sql<SqlBool>`r.id in (select r.pid from resource r where ${all} and ${refers})`)
    }
    return byCondition(sql<SqlBool>`exists (select 1 from (select r.id offset 0) wanted (id), lateral (select 1 from resource r where r.pid = wanted.id and ${await ofFew()} and ${refers} limit 1) found)`)
  }
  const byAddress = isCanonical(model, source, param)
  const { rows } = await sql<{ keys: bigint[]; content: string }>`select r.keys, r.content from resource r where ${matching} order by r.d0 desc, r.id limit ${referringMax + 1}`.execute(walk.db)
  if (byAddress) {
    if (rows.length > referringMax) throw tooMany(param.code, source)
    const { keys, condition } = namedBy(type, rows.flatMap((row) => canonicalsOf(row.content, row.keys, source, param.storedAs)))
    return keys.length === 0 ? nothing : { ...byKeys(keys), where: condition }
  }
  if (rows.length <= referringMax) {
    const wanted = { source, codes: param.storedAs, target: type }
    return byRowKeys(rows.flatMap((row) => referencesOf(row.content, row.keys, [wanted]).map((each) => keyOf(each.id))))
  }
  const refers = param.storedAs.map((code) => sql`${linkOf(sql`r.id`, linkSeed(source, code, type))}`)
  return byCondition(sql<SqlBool>`exists ${anyPlan} (select 1 from (select array[${sql.join(refers)}] offset 0) wanted (keys), lateral (
    select 1 from resource r where r.keys && wanted.keys and ${await ofFew()} limit 1) found)`)
}

function referenceParameter(context: QueryContext, code: string, name: string): SearchParam {
  const parameters = context.model.searchParameters(context.type)
  const param = parameters.get(code)
  if (param?.type === 'reference' && param.storage === 'keys') return param
  const codes = [...parameters.values()].filter((each) => each.type === 'reference' && each.storage === 'keys').map((each) => each.code)
  throw new OutcomeError([linkIssue(name, nearest(code, codes) ?? codes[0] ?? null, context.type)])
}

function badLink(name: string, hint: string | null): OutcomeError {
  return new OutcomeError([linkIssue(name, hint, null)])
}

function linkIssue(name: string, hint: string | null, type: ResourceType | null): Issue {
  const shown = name.slice(0, 64)
  return issue('parameter-unknown', {
    zh: `${type ?? ''}没有链式参数“${shown}”${hint ? `，最接近的是 ${hint}` : ''}。`, en: `${type ? `${type} has` : 'There is'} no chained parameter "${shown}"${hint ? `; the nearest is ${hint}` : ''}.`,
  }, shown)
}

function tooDeep(name: string): OutcomeError {
  return fail('parameter-invalid', { zh: `链式参数最多 ${linksMax} 级。`, en: `A chain has at most ${linksMax} links.` }, name.slice(0, 64))
}

function tooMany(code: string, type: ResourceType): OutcomeError {
  return fail('too-costly', {
    zh: `参数 ${code} 后的条件匹配了超过 ${behindMax} 个 ${type}，请缩小范围。`, en: `The condition behind ${code} fits more than ${behindMax} resources of ${type}. Make it narrower.`,
  }, code)
}
