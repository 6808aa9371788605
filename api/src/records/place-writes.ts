/**
 * Where each entry of a request stands for the access decision: labels, hospital, department, author. What an entry does not say it
 * takes from its visit (in the same request or stored), from the version before, and from the caller. The labels go into `meta.security`
 * too. One statement, and only when a visit or diagnosis outside the request is named; another for what a Provenance speaks of: it has the labels of all of that.
 */
import type { Resource } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { departmentBits, hiddenBit, labelsOf, sensitiveBits, unjudged, withLabels } from '../access/labels.ts'
import { anonymous } from '../access/principal.ts'
import { type About, type Origin, originOf, type Placement, placed } from '../access/placement.ts'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { typeCode } from '../fhir/resource-types.ts'
import type { Trx } from '../storage/pool.ts'
import { contentOf } from './content.ts'
import { indexResource, type IndexRow } from './index-resource.ts'
import type { Store } from './store.ts'
import type { CurrentRow } from './write-rows.ts'

/** The part of a write's plan that this fills. */
export interface PlacedPlan {
  ctx: Pick<Ctx, 'principal'>
  key: string
  after: Resource | null
  current: CurrentRow | null
  hidden: boolean
  index: IndexRow | null
  content: string | null
  placement: Placement | null
}

type Known = ReadonlyMap<string, Placement>

/** `apart`: each is a request of its own, which takes nothing from the others. */
export async function placeWrites(trx: Trx, { model }: Pick<Store, 'model'>, plans: readonly PlacedPlan[], { apart } = { apart: false }): Promise<void> {
  const origins = new Map<PlacedPlan, Origin>()
  for (const plan of plans) if (plan.after !== null) origins.set(plan, originOf(plan.after))
  const known = new Map<string, Placement>(await placementsOf(trx, [...origins.values()], new Set(apart ? [] : plans.map((plan) => plan.key))))
  // Visits first, then diagnoses: what refers to them comes after, and last what speaks of anything.
  const ranks: Readonly<Record<string, number>> = { Encounter: 0, Condition: 1, Provenance: 3 }
  const ordered = [...origins].sort(([a], [b]) => (ranks[a.after?.resourceType ?? ''] ?? 2) - (ranks[b.after?.resourceType ?? ''] ?? 2))
  for (const [plan, origin] of ordered) {
    const before = plan.after
    place(plan, origin, known)
    if (plan.after !== null && plan.after !== before) plan.index = indexResource(model, plan.after)
    if (plan.placement !== null && !apart) known.set(plan.key, plan.placement)
  }
}

function place(plan: PlacedPlan, origin: Origin, known: Known): void {
  const resource = plan.after as Resource
  const text = contentOf(resource)
  const placement = placementOf(plan, resource, text, origin, known)
  const labelled = withLabels(resource, placement.labels)
  plan.after = labelled
  plan.content = labelled === resource ? text : contentOf(labelled)
  plan.placement = placement
}

type Before = Pick<CurrentRow, 'labels' | 'org' | 'dept' | 'author'>

function placementOf({ ctx: { principal }, current, hidden }: Pick<PlacedPlan, 'ctx' | 'hidden'> & { current: Before | null }, resource: Resource, text: string, origin: Origin, known: Known): Placement {
  const visit = origin.encounter === null ? undefined : known.get(origin.encounter)
  const caller = {
    organization: principal.role === 'citizen' || principal.organization === null ? null : keyOf(principal.organization),
    author: principal.practitioner === null ? null : keyOf(principal.practitioner),
  }
  const before = current && { organization: current.org, department: current.dept, author: current.author }
  // An Organization is part of what it says itself and of nothing else: rights follow from it.
  const where = placed(origin, resource.resourceType === 'Organization' ? [] : [visit, before, caller])
  const named = [...origin.reasons, ...origin.about.map(({ key }) => key)]
  const inherited = departmentBits(visit?.department ?? null) | named.reduce((bits, key) => bits | ((known.get(key)?.labels ?? 0) & sensitiveBits), 0)
  const labels = labelsOf(resource, text, where.department) | (unlabelled.has(resource.resourceType) ? 0 : inherited)
  return { labels: labels | (hidden ? hiddenBit : (current?.labels ?? 0) & hiddenBit), ...where }
}

/** They say nothing of what was found at the visit. */
const unlabelled: ReadonlySet<string> = new Set(['AllergyIntolerance', 'Appointment', 'ChargeItem', 'Immunization'])

/** Stored visits and diagnoses that the entries name and the request does not hold, and the labels of what else they speak of. */
async function placementsOf(trx: Trx, origins: readonly Origin[], own: ReadonlySet<string>): Promise<[string, Placement][]> {
  const wanted = new Set<string>()
  for (const origin of origins) {
    for (const key of [...(origin.encounter === null ? [] : [origin.encounter]), ...origin.reasons]) if (!own.has(key)) wanted.add(key)
  }
  const about = await labelsOfAbout(trx, origins.flatMap((origin) => origin.about).filter(({ key }) => !own.has(key)))
  if (wanted.size === 0) return about
  const { rows } = await sql<{ id: string; labels: number | null; org: string | null; dept: string | null; author: string | null }>`
    select r.id, r.labels, r.org, r.dept, r.author from resource r
    where r.id = any(${[...wanted]}::uuid[]) and r.t in (${sql.raw(`${typeCode('Encounter')},${typeCode('Condition')}`)})`.execute(trx)
  return [...about, ...rows.map((row): [string, Placement] => [row.id, { labels: row.labels ?? 0, organization: row.org, department: row.dept, author: row.author }])]
}

/** Labels that any version had, for what is spoken of may be deleted. */
async function labelsOfAbout(trx: Trx, about: readonly About[]): Promise<[string, Placement][]> {
  if (about.length === 0) return []
  const keys = sql`${[...new Set(about.map(({ key }) => key))]}::uuid[]`
  const types = sql.raw([...new Set(about.map(({ type }) => typeCode(type)))].join(','))
  const { rows } = await sql<{ id: string; labels: number }>`select v.id, bit_or(coalesce(v.labels, ${unjudged})) as labels from (
    select r.id, r.labels from resource r where r.id = any(${keys}) and r.t in (${types})
    union all select h.id, h.labels from resource_history h where h.id = any(${keys}) and h.t in (${types})) v where v.labels is distinct from 0 group by v.id`.execute(trx)
  return rows.map((row) => [row.id, { labels: row.labels, organization: null, department: null, author: null }])
}

/** The same for entries that are loaded one after the other, visits before what belongs to them. */
export function loadPlacer(): (resource: Resource & { id: string }) => { resource: Resource; content: string; placement: Placement } {
  const known = new Map<string, Placement>()
  return (resource) => {
    const plan: PlacedPlan = { ctx: nobody, key: keyOf(resource.id), after: resource, current: null, index: null, content: null, placement: null, hidden: false }
    place(plan, originOf(resource), known)
    const placement = plan.placement as unknown as Placement
    if (resource.resourceType === 'Encounter' || placement.labels !== 0) known.set(plan.key, placement)
    return { resource: plan.after as Resource, content: plan.content as unknown as string, placement }
  }
}

/** Placements of stored resources, as the job that indexes anew needs them: their text stays as it is. */
export async function placementsOfStored(trx: Trx, resources: readonly (Resource & { id: string })[]): Promise<Placement[]> {
  const origins = resources.map(originOf)
  const known = new Map(await placementsOf(trx, origins, new Set()))
  return resources.map((resource, index) => placementOf({ ctx: nobody, current: null, hidden: false }, resource, contentOf(resource), origins[index] as Origin, known))
}

const nobody: Pick<Ctx, 'principal'> = { principal: anonymous }
